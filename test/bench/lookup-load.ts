/** @module A client that looks up random blocks without pause: each must be found, whatever happens to the metadata nodes. */
import { systemClock } from '../../src/common/clock.ts';
import { fromHex } from '../../src/common/bytes.ts';
import { describeError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { openClientNetwork } from '../../src/client/client-network.ts';
import { metadataNodesOf } from '../../src/client/known-metadata.ts';
import { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { loadProfile } from '../../src/client/profile.ts';
import { LOCATE, MEMBERS } from '../../src/protocol/methods.ts';
import { percentile, round } from './statistics.ts';
import { syntheticHash } from './synthetic-datanode.ts';

const DEFAULT_HASHES = 32;
const DEFAULT_IN_FLIGHT = 4;
const REFRESH_MS = 2_000;

export interface LookupFigures {
  readonly lookups: number;
  readonly failed: number;
  readonly blocksNotFound: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly firstFailure?: string;
}

export interface LookupLoadOptions {
  /** The blocks are those of the numbers below. */
  readonly blocks: number;
  /** Looked up together. */
  readonly hashes?: number;
  readonly inFlight?: number;
}

export class LookupLoad {
  readonly #stopping = new AbortController();
  readonly #blocks: number;
  readonly #hashes: number;
  readonly #latencies: number[] = [];
  readonly #failures: string[] = [];
  #notFound = 0;
  #lanes: Promise<void>[] = [];
  #close: () => Promise<void> = async () => {};

  private constructor({ blocks, hashes = DEFAULT_HASHES }: LookupLoadOptions) {
    this.#blocks = blocks;
    this.#hashes = hashes;
  }

  static async start(profileDir: string, options: LookupLoadOptions): Promise<LookupLoad> {
    const { inFlight = DEFAULT_IN_FLIGHT } = options;
    const load = new LookupLoad(options);
    const components = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const network = await openClientNetwork(profileDir, components);
    const { peers } = await loadProfile(profileDir);
    const metadata = new MetadataPeers({ ...components, network }, peers);
    load.#close = () => network.stop();
    const refresh = async (): Promise<void> => {
      while (!load.#stopping.signal.aborted) {
        const members = await metadata.ask(MEMBERS, { stale: true }, {}).catch(() => undefined);
        if (members !== undefined) metadata.replace(metadataNodesOf(members.members));
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      }
    };
    load.#lanes = [refresh(), ...Array.from({ length: inFlight }, () => load.#lookUpAgainAndAgain(metadata))];
    return load;
  }

  async #lookUpAgainAndAgain(metadata: MetadataPeers): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const hashes = Array.from({ length: this.#hashes }, () =>
        fromHex(syntheticHash(systemRandom.int(this.#blocks))),
      );
      const startMs = performance.now();
      try {
        const { blocks } = await metadata.ask(LOCATE, { hashes }, {});
        this.#notFound += blocks.filter(({ nodes }) => nodes.length === 0).length;
        this.#latencies.push(performance.now() - startMs);
      } catch (error) {
        this.#failures.push(describeError(error));
      }
    }
  }

  /** Of everything since the last call. */
  figures(): LookupFigures {
    const latencies = this.#latencies.splice(0);
    const failures = this.#failures.splice(0);
    const blocksNotFound = this.#notFound;
    this.#notFound = 0;
    return {
      lookups: latencies.length,
      failed: failures.length,
      blocksNotFound,
      p50Ms: round(percentile(latencies, 0.5), 1),
      p99Ms: round(percentile(latencies, 0.99), 1),
      longestMs: round(percentile(latencies, 1)),
      ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
    };
  }

  /** Resolves with the milliseconds until a lookup begun from now on has found all it asked for. */
  async firstAnswer(sinceMs: number): Promise<number> {
    this.figures();
    while (this.#latencies.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return performance.now() - sinceMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#lanes);
    await this.#close();
  }
}
