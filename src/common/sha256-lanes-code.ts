/**
 * @module The WebAssembly that computes SHA-256 (FIPS 180-4) of four messages at once, put together instruction by instruction. Each
 * variable of the standard is one vector of four 32-bit lanes, lane i of message i.
 *
 * Imports `lanes.memory`, which is shared, so that another thread may fill it. Exports `compress(at0, at1, at2, at3, blocks)`: takes
 * `blocks` (at least 1) blocks of 64 bytes of each message, from four addresses. The state, eight vectors, lies at address 0.
 */

/** Instructions in the binary format (WebAssembly 2.0 §5.4). */
type Code = readonly number[];

export const LANES = 4;
const VECTOR_BYTES = 16;
export const BLOCK_BYTES = 64;
/** Of WebAssembly's memories. */
export const PAGE_BYTES = 65_536;
const ROUNDS = 64;
/** The first 64 primes are the source of the constants (§4.2.2), the first 8 of the initial state (§5.3.3). */
const PRIMES: readonly number[] = firstPrimes(ROUNDS);

/** Fractions of square roots of the first 8 primes, 32 bits each: the state before the first block. */
export const INITIAL_STATE: readonly number[] = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const ROUND_CONSTANTS: readonly number[] = PRIMES.map((prime) => rootFraction(prime, 3n));

// Locals: four addresses and the count (i32), then vectors: a..h, the last 16 words of the schedule, and four for what is in between.
const COUNT = 4;
const FIRST_VARIABLE = 5;
const FIRST_WORD = 13;
const FIRST_SPARE = 29;
const SPARE_T1 = FIRST_SPARE;
const VECTOR_LOCALS = 28;

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
  ...Array.from({ length: LANES }, () => bytesOf(word)).flat(),
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
  const emit = (...codes: readonly Code[]): void => {
    for (const code of codes) body.push(...code);
  };
  for (let at = 0; at < 8; at += 1) emit(i32(0), load(at * VECTOR_BYTES), setLocal(FIRST_VARIABLE + at));
  emit(LOOP);
  emitMessageWords(emit);
  const last = emitRounds(emit);
  for (const [at, variable] of last.entries())
    emit(
      i32(0),
      local(variable),
      i32(0),
      load(at * VECTOR_BYTES),
      ADD,
      teeLocal(FIRST_VARIABLE + at),
      store(at * VECTOR_BYTES),
    );
  for (let lane = 0; lane < LANES; lane += 1) emit(local(lane), i32(BLOCK_BYTES), I32_ADD, setLocal(lane));
  emit(local(COUNT), i32(1), I32_SUB, teeLocal(COUNT), REPEAT_IF, END);
  return moduleOf(pages, [1, ...unsigned(VECTOR_LOCALS), V128, ...body, ...END]);
}

type Emit = (...codes: readonly Code[]) => void;

/** 16 bytes of each message become four words of all messages: a transposition, in each quarter of the block. */
function emitMessageWords(emit: Emit): void {
  for (let quarter = 0; quarter < 4; quarter += 1) {
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map((word) => FIRST_WORD + quarter * 4 + word) as [
      number,
      number,
      number,
      number,
    ];
    const [s0, s1, s2, s3] = [0, 1, 2, 3].map((spare) => FIRST_SPARE + spare) as [
      number,
      number,
      number,
      number,
    ];
    for (const [lane, spare] of [s0, s1, s2, s3].entries())
      emit(
        local(lane),
        load(quarter * VECTOR_BYTES),
        teeLocal(spare),
        local(spare),
        SWAP_BYTES,
        setLocal(spare),
      );
    emit(local(s0), local(s1), shuffleWords(0, 4, 1, 5), setLocal(w0));
    emit(local(s0), local(s1), shuffleWords(2, 6, 3, 7), setLocal(w1));
    emit(local(s2), local(s3), shuffleWords(0, 4, 1, 5), setLocal(w2));
    emit(local(s2), local(s3), shuffleWords(2, 6, 3, 7), setLocal(w3));
    emit(local(w0), local(w2), shuffleWords(0, 1, 4, 5), setLocal(s0));
    emit(local(w0), local(w2), shuffleWords(2, 3, 6, 7), setLocal(s1));
    emit(local(w1), local(w3), shuffleWords(0, 1, 4, 5), setLocal(s2));
    emit(local(w1), local(w3), shuffleWords(2, 3, 6, 7), setLocal(s3));
    for (const [at, word] of [w0, w1, w2, w3].entries()) emit(local(FIRST_SPARE + at), setLocal(word));
  }
}

/** §6.2.2, steps 1 to 3. Returns where a to h are in the end: they change places instead of values. */
function emitRounds(emit: Emit): readonly number[] {
  let places = Array.from({ length: 8 }, (_, at) => FIRST_VARIABLE + at);
  const wordOf = (round: number): number => FIRST_WORD + (round % 16);
  for (const [round, constant] of ROUND_CONSTANTS.entries()) {
    const word = wordOf(round);
    if (round >= 16) {
      const sigma1 = xorOf(
        rotated(wordOf(round - 2), 17),
        rotated(wordOf(round - 2), 19),
        shifted(wordOf(round - 2), 10),
      );
      const sigma0 = xorOf(
        rotated(wordOf(round - 15), 7),
        rotated(wordOf(round - 15), 18),
        shifted(wordOf(round - 15), 3),
      );
      emit(local(word), sigma1, ADD, local(wordOf(round - 7)), ADD, sigma0, ADD, setLocal(word));
    }
    const [a, b, c, d, e, f, g, h] = places as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const sum1 = xorOf(rotated(e, 6), rotated(e, 11), rotated(e, 25));
    const choice = [...local(g), ...local(f), ...local(g), ...XOR, ...local(e), ...AND, ...XOR];
    emit(local(h), local(word), inAllLanes(constant), ADD, ADD, sum1, ADD, choice, ADD, setLocal(SPARE_T1));
    emit(local(d), local(SPARE_T1), ADD, setLocal(d));
    const sum0 = xorOf(rotated(a, 2), rotated(a, 13), rotated(a, 22));
    const majority = [
      ...local(b),
      ...local(a),
      ...local(b),
      ...XOR,
      ...local(b),
      ...local(c),
      ...XOR,
      ...AND,
      ...XOR,
    ];
    emit(sum0, majority, ADD, local(SPARE_T1), ADD, setLocal(h));
    places = [h, a, b, c, d, e, f, g];
  }
  return places;
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

/** One function of five i32, a shared memory that does not grow; §5.5. */
function moduleOf(pages: number, code: Code): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const limits: Code = [...unsigned(pages), ...unsigned(pages)];
  const name = (text: string): Code => [text.length, ...Buffer.from(text)];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 0]),
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
