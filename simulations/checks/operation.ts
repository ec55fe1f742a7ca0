/** @module One operation of one client, as it was recorded: what it asked, what it was told, and when. */

/** `Call` is the request and, where the outcome is known, the answer. */
export interface Operation<Call> {
  readonly client: number | string;
  readonly call: Call;
  /** Instants are any numbers that order the history; equal ones count as at once. */
  readonly start: number;
  /** Absent: nobody knows whether it was done, or when; it may still happen long after its client gave up. */
  readonly end?: number;
}
