/**
 * @module What metadata nodes said of files, remembered for a while: which blocks they have and what `stat` shows.
 *
 * Within the time to live a file may be seen as it was. A change made through the same cache directory ends that at once, for
 * all files, whatever paths lead to them: everything remembered is dropped, together with what is being asked meanwhile.
 */
import { toHex } from '../../common/bytes.ts';
import type { Clock } from '../../common/clock.ts';
import { sha256 } from '../../common/hashing.ts';
import { Stat } from '../../namespace/schema.ts';
import { ReadPlanResponse } from '../../protocol/messages.ts';
import type { StatOptions } from '../client-options.ts';
import type { PageOfFile, PlanSource } from '../read-plan.ts';
import type { CacheDraft, CacheShelf } from './cache-shelf.ts';
import type { CacheTrouble } from './cache-trouble.ts';
import { openPlan, sealPlan } from './sealed-plan.ts';

export interface RememberedPlansComponents {
  /** Asks the metadata nodes. */
  readonly source: PlanSource;
  readonly shelf: CacheShelf;
  readonly trouble: CacheTrouble;
  readonly clock: Clock;
}

export interface RememberedPlansOptions {
  readonly clusterId: string;
  /** In milliseconds; 0: nothing is remembered. */
  readonly ttlMs: number;
}

/** As the generated codecs are. */
interface Codec<T> {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

export class RememberedPlans implements PlanSource {
  readonly #components: RememberedPlansComponents;
  readonly #options: RememberedPlansOptions;
  /** What was asked before is not believed, wherever it comes from: the disk may have failed to forget it. */
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor(components: RememberedPlansComponents, options: RememberedPlansOptions) {
    this.#components = components;
    this.#options = options;
  }

  stat(path: string, options: StatOptions): Promise<Stat> {
    const { source } = this.#components;
    const key = ['stat', path, options.noFollow === true];
    return this.#remembered(key, Stat, options, () => source.stat(path, options));
  }

  page(page: PageOfFile, options: StatOptions): Promise<ReadPlanResponse> {
    const { source } = this.#components;
    const key = ['page', page.path, page.inode, page.version, page.firstBlock];
    return this.#remembered(key, ReadPlanResponse, options, () => source.page(page, options));
  }

  /** Call when something was changed, and when a file turned out to be no longer as remembered. Never throws. */
  async forget(): Promise<void> {
    const { shelf, trouble, clock } = this.#components;
    if (this.#options.ttlMs > 0) this.#changedMs = clock.wallMs();
    // Also while the disk is left alone, and without a time to live: other clients on this directory may have one.
    await shelf.empty().catch((error: unknown) => trouble.tell(error));
  }

  async #remembered<T>(
    key: readonly unknown[],
    codec: Codec<T>,
    { stale = false }: StatOptions,
    ask: () => Promise<T>,
  ): Promise<T> {
    if (this.#options.ttlMs === 0) return ask();
    const name = toHex(sha256(Buffer.from(JSON.stringify([this.#options.clusterId, ...key]))));
    const known = await this.#read(name);
    if (known !== undefined) return codec.decode(known);
    // What may be out of date already must not be believed for longer, and by others.
    if (stale) return ask();
    // Begun before the question: an answer from before a change must not be kept after it.
    const draft = await this.#components.trouble.spare('write', () => this.#components.shelf.draft(name));
    const askedMs = this.#components.clock.wallMs();
    try {
      const answer = await ask();
      await this.#keep(draft, askedMs, codec.encode(answer).finish());
      return answer;
    } catch (error) {
      await this.#components.trouble.spare('write', async () => draft?.abandon());
      throw error;
    }
  }

  #read(name: string): Promise<Uint8Array | undefined> {
    const { shelf, trouble, clock } = this.#components;
    return trouble.spare('read', async () => {
      const sealed = await shelf.read(name);
      const plan = sealed && openPlan(sealed);
      if (plan === undefined || plan.askedMs <= this.#changedMs) return undefined;
      const ageMs = clock.wallMs() - plan.askedMs;
      // From the future it is when the clock was put back: nobody knows how old it is.
      return ageMs >= 0 && ageMs < this.#options.ttlMs ? plan.body : undefined;
    });
  }

  async #keep(draft: CacheDraft | undefined, askedMs: number, body: Uint8Array): Promise<void> {
    await this.#components.trouble.spare('write', async () => draft?.commit([sealPlan({ askedMs, body })]));
  }
}
