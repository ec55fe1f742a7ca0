/** @module How far a transfer has come. */

export interface TransferProgress {
  /** Bytes that are safe: acknowledged by datanodes (put), or verified and handed over (get). Never falls. */
  readonly doneBytes: number;
  /** Undefined while nobody knows, e.g. when the source is a pipe. */
  readonly totalBytes: number | undefined;
}

export type OnProgress = (progress: TransferProgress) => void;
