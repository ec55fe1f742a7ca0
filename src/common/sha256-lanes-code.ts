/**
 * @module The WebAssembly that computes SHA-256 (FIPS 180-4) of eight messages at once, put together instruction by instruction. Each
 * variable of the standard is two vectors of four 32-bit lanes, lane i of message i. Whatever is done with one vector of a pair is done
 * with the other right after it, and both lie side by side in memory: V8 can make one instruction of 256 bits of the two
 * (wasm-revec-reducer.cc), which a break in the pattern would keep it from. No vector is stored before the end for the same reason.
 *
 * Imports `lanes.memory`, which is shared, so that another thread may fill it. Exports `compress(at0, …, at7, blocks)`: takes `blocks`
 * (at least 1) blocks of 64 bytes of each message, from eight addresses. The state, word i of all lanes side by side for each of its
 * eight words, lies at address 0.
 */

/** Instructions in the binary format (WebAssembly 2.0 §5.4). */
type Code = readonly number[];

export const LANES = 8;
const VECTOR_BYTES = 16;
const VECTOR_LANES = 4;
/** One variable, of all lanes. */
const PAIR_BYTES: number = 2 * VECTOR_BYTES;
export const BLOCK_BYTES = 64;
/** Of WebAssembly's memories. */
export const PAGE_BYTES = 65_536;
const ROUNDS = 64;
/** The first 64 primes are the source of the constants (§4.2.2), the first 8 of the initial state (§5.3.3). */
const PRIMES: readonly number[] = firstPrimes(ROUNDS);

/** Fractions of square roots of the first 8 primes, 32 bits each: the state before the first block. */
export const INITIAL_STATE: readonly number[] = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const ROUND_CONSTANTS: readonly number[] = PRIMES.map((prime) => rootFraction(prime, 3n));

/** Where the 16 words of a block lie for a moment, behind the state. */
const WORDS_ADDRESS: number = INITIAL_STATE.length * PAIR_BYTES;

/** A variable of the standard: the number of its first vector's local, the second's follows. */
type Pair = number;
const COUNT: number = LANES;
/** Locals: the addresses and the count (i32), then pairs: a to h, the last 16 words of the schedule, and what is in between. */
const pair = (index: number): Pair => COUNT + 1 + 2 * index;
const variable = (index: number): Pair => pair(index);
const wordAt = (round: number): Pair => pair(8 + (round % 16));
const T1: Pair = pair(24);
/** a xor b of a round, which is b xor c of the next. */
const changed = (round: number): Pair => pair(25 + (round % 2));
/** In the transposition each is a local of its own. */
const FIRST_SPARE: number = pair(27);
const SPARES = 9;
const VECTOR_LOCALS: number = FIRST_SPARE + SPARES - pair(0);

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const local = (index: number): Code => [0x20, ...unsigned(index)];
const setLocal = (index: number): Code => [0x21, ...unsigned(index)];
const teeLocal = (index: number): Code => [0x22, ...unsigned(index)];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const load = (offset: number): Code => [...simd(0x00), 4, ...unsigned(offset)];
const store = (offset: number): Code => [...simd(0x0b), 4, ...unsigned(offset)];
const AND: Code = simd(0x4e);
const OR: Code = simd(0x50);
const XOR: Code = simd(0x51);
const ADD: Code = simd(0xae);
const I32_ADD: Code = [0x6a];
const I32_SUB: Code = [0x6b];
const LOOP: Code = [0x03, 0x40];
const REPEAT_IF: Code = [0x0d, 0];
const END: Code = [0x0b];
const MAGIC_AND_VERSION: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const V128 = 0x7b;
const I32 = 0x7f;
const MEMORY = 0x02;
/** And with a maximum. */
const SHARED = 0x03;

const shiftLeft = (bits: number): Code => [...i32(bits), ...simd(0xab)];
const shiftRight = (bits: number): Code => [...i32(bits), ...simd(0xad)];
const inAllLanes = (word: number): Code => [
  ...simd(0x0c),
  ...Array.from({ length: VECTOR_LANES }, () => bytesOf(word)).flat(),
];
/** Of two vectors, the 32-bit words with these numbers (4 to 7 are of the second). */
const shuffleWords = (...words: readonly number[]): Code => [
  ...simd(0x0d),
  ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte)),
];
const SWAP_BYTES: Code = [...simd(0x0d), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

/** The bytes of the module, for a memory of so many pages. */
export function sha256LanesModule(pages: number): Uint8Array<ArrayBuffer> {
  const body: number[] = [];
  const emit: Emit = (...codes) => {
    for (const code of codes) body.push(...code);
  };
  emit(LOOP);
  emitMessageWords(emit, 0);
  emitMessageWords(emit, 1);
  for (let at = 0; at < 8; at += 1) emitPair(emit, (half) => loadHalf(at * PAIR_BYTES, half), variable(at));
  const last = emitRounds(emit);
  for (const [at, place] of last.entries())
    emitPair(emit, (half) => sequence(loadHalf(at * PAIR_BYTES, half), local(place + half), ADD), place);
  for (const [at, place] of last.entries())
    for (const half of HALVES)
      emit(i32(0), local(place + half), store(at * PAIR_BYTES + half * VECTOR_BYTES));
  for (let lane = 0; lane < LANES; lane += 1) emit(local(lane), i32(BLOCK_BYTES), I32_ADD, setLocal(lane));
  emit(local(COUNT), i32(1), I32_SUB, teeLocal(COUNT), REPEAT_IF, END);
  return moduleOf(pages, [1, ...unsigned(VECTOR_LOCALS), V128, ...body, ...END]);
}

type Emit = (...codes: readonly Code[]) => void;
const sequence = (...codes: readonly Code[]): Code => codes.flat();
/** Which vector of a pair. */
type Half = 0 | 1;
const HALVES: readonly Half[] = [0, 1];

function emitPair(emit: Emit, code: (half: Half) => Code, target: Pair): void {
  for (const half of HALVES) emit(code(half), setLocal(target + half));
}

function loadHalf(address: number, half: Half): Code {
  return [...i32(0), ...load(address + half * VECTOR_BYTES)];
}

/** Of four lanes: 16 bytes of each message become four words of all messages, a transposition, in each quarter of the block. */
function emitMessageWords(emit: Emit, half: Half): void {
  const [m0, m1, m2, m3, low01, low23, high01, high23, out] = Array.from(
    { length: SPARES },
    (_, at) => FIRST_SPARE + at,
  ) as [number, number, number, number, number, number, number, number, number];
  for (let quarter = 0; quarter < 4; quarter += 1) {
    for (const [lane, spare] of [m0, m1, m2, m3].entries())
      emit(local(half * VECTOR_LANES + lane), load(quarter * VECTOR_BYTES), setLocal(spare));
    emit(local(m0), local(m1), shuffleWords(0, 4, 1, 5), setLocal(low01));
    emit(local(m0), local(m1), shuffleWords(2, 6, 3, 7), setLocal(high01));
    emit(local(m2), local(m3), shuffleWords(0, 4, 1, 5), setLocal(low23));
    emit(local(m2), local(m3), shuffleWords(2, 6, 3, 7), setLocal(high23));
    const words: readonly Code[] = [
      [...local(low01), ...local(low23), ...shuffleWords(0, 1, 4, 5)],
      [...local(low01), ...local(low23), ...shuffleWords(2, 3, 6, 7)],
      [...local(high01), ...local(high23), ...shuffleWords(0, 1, 4, 5)],
      [...local(high01), ...local(high23), ...shuffleWords(2, 3, 6, 7)],
    ];
    for (const [at, code] of words.entries()) {
      const address = WORDS_ADDRESS + (quarter * 4 + at) * PAIR_BYTES + half * VECTOR_BYTES;
      emit(code, setLocal(out), i32(0), local(out), local(out), SWAP_BYTES, store(address));
    }
  }
}

/** §6.2.2, steps 1 to 3. Returns where a to h are in the end: they change places instead of values. */
function emitRounds(emit: Emit): readonly Pair[] {
  let places = Array.from({ length: 8 }, (_, at) => variable(at));
  for (const [round, constant] of ROUND_CONSTANTS.entries()) {
    emitPair(emit, (half) => scheduled(round, half), wordAt(round));
    const [a, b, c, d, e, f, g, h] = places as [Pair, Pair, Pair, Pair, Pair, Pair, Pair, Pair];
    const choice = (half: Half): Code => {
      const [eAt, fAt, gAt] = [local(e + half), local(f + half), local(g + half)];
      return sequence(gAt, fAt, gAt, XOR, eAt, AND, XOR);
    };
    const t1 = (half: Half): Code => {
      const sum = xorOf(rotated(e + half, 6), rotated(e + half, 11), rotated(e + half, 25));
      const input = sequence(local(h + half), local(wordAt(round) + half), inAllLanes(constant), ADD, ADD);
      return sequence(input, choice(half), ADD, sum, ADD);
    };
    emitPair(emit, t1, T1);
    emitPair(emit, (half) => sequence(local(d + half), local(T1 + half), ADD), d);
    const majority = (half: Half): Code => {
      const [aAt, bAt, cAt] = [local(a + half), local(b + half), local(c + half)];
      const bThenChange = sequence(bAt, aAt, bAt, XOR, teeLocal(changed(round) + half));
      const bXorC = round === 0 ? sequence(bAt, cAt, XOR) : local(changed(round - 1) + half);
      return sequence(bThenChange, bXorC, AND, XOR);
    };
    const next = (half: Half): Code => {
      const sum = xorOf(rotated(a + half, 2), rotated(a + half, 13), rotated(a + half, 22));
      return sequence(majority(half), sum, ADD, local(T1 + half), ADD);
    };
    emitPair(emit, next, h);
    places = [h, a, b, c, d, e, f, g];
  }
  return places;
}

/** The word of a round: of the block, or made of four earlier ones. */
function scheduled(round: number, half: Half): Code {
  if (round < 16) return loadHalf(WORDS_ADDRESS + round * PAIR_BYTES, half);
  const [two, fifteen] = [wordAt(round - 2) + half, wordAt(round - 15) + half];
  const early = sequence(local(wordAt(round - 16) + half), local(wordAt(round - 7) + half), ADD);
  const sigma1 = xorOf(rotated(two, 17), rotated(two, 19), shifted(two, 10));
  const sigma0 = xorOf(rotated(fifteen, 7), rotated(fifteen, 18), shifted(fifteen, 3));
  return sequence(early, sigma1, ADD, sigma0, ADD);
}

function rotated(index: number, bits: number): Code {
  return [...local(index), ...shiftRight(bits), ...local(index), ...shiftLeft(32 - bits), ...OR];
}

function shifted(index: number, bits: number): Code {
  return [...local(index), ...shiftRight(bits)];
}

function xorOf(first: Code, second: Code, third: Code): Code {
  return [...first, ...second, ...XOR, ...third, ...XOR];
}

/** One function of nine i32, a shared memory that does not grow; §5.5. */
function moduleOf(pages: number, code: Code): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const limits: Code = [...unsigned(pages), ...unsigned(pages)];
  const name = (text: string): Code => [text.length, ...Buffer.from(text)];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, 0x60, LANES + 1, ...Array<number>(LANES + 1).fill(I32), 0]),
    ...section(2, [1, ...name('lanes'), ...name('memory'), MEMORY, SHARED, ...limits]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('compress'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** LEB128; §5.2.2. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

function bytesOf(word: number): Code {
  return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes;
}

/** The first 32 bits of the fraction of a root of `prime`, exactly. */
function rootFraction(prime: number, degree: bigint): number {
  const wanted = BigInt(prime) << (32n * degree);
  let [low, high] = [0n, BigInt(prime) << 32n];
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= wanted) low = middle;
    else high = middle - 1n;
  }
  return Number(low & 0xffff_ffffn);
}
