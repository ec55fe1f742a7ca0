/** @module How a node comes to its end by itself, and what that leaves behind for the next start. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { DataDirectory } from './data-directory.ts';
import type { NodeConfig } from './node-config.ts';

export interface NodeEndingComponents {
  readonly directory: DataDirectory;
  readonly logger: Logger;
}

export interface NodeEndingOptions {
  readonly config: NodeConfig;
  /** Called at most once, when the node cannot go on. */
  readonly onFatal: (error: Error) => void;
}

export class NodeEnding {
  readonly #components: NodeEndingComponents;
  readonly #options: NodeEndingOptions;
  #isEnding = false;
  #isRemoved = false;
  #isRolledBack = false;
  #isDamaged = false;

  constructor(components: NodeEndingComponents, options: NodeEndingOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** The cluster goes on without this node, or it cannot go on itself. */
  readonly fatal = (error: Error): void => {
    this.#components.logger.error('node.fatal', { error: describeError(error) });
    this.#isRemoved ||= isHoldfastError(error, 'METADATA_REMOVED', 'DATANODE_REMOVED');
    this.#isRolledBack ||= isHoldfastError(error, 'METADATA_ROLLED_BACK', 'METADATA_COPY_OUTLIVED');
    if (!this.#isEnding) this.#options.onFatal(error);
    this.#isEnding = true;
  };

  /** A page of the namespace cannot be read. */
  readonly damaged = (): void => {
    this.#isDamaged = true;
  };

  /** Order: stores and roles have stopped. */
  async leaveTraces(): Promise<void> {
    const { directory, logger } = this.#components;
    const { config } = this.#options;
    if (this.#isRemoved) await directory.saveConfig({ ...config, left: true });
    // Whoever told it may not be there at the next start, which must not vote with this log either.
    if (this.#isRolledBack) await directory.setAside(`lost-${config.number}`);
    // The next start may not touch the page that cannot be read, and fail as late as this one did.
    if (this.#isDamaged) await setDamagedAside(directory, logger);
  }
}

/** A namespace that cannot be read: it is made anew from the log. */
export async function setDamagedAside(directory: DataDirectory, logger: Logger): Promise<void> {
  const kept = await directory.setNamespaceAside('damaged-namespace');
  logger.warn('node.namespace-set-aside', { kept });
}
