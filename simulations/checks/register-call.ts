/** @module What clients ask of registers, and what registers hold. */
/** Values are compared with ===; null is what a register holds that nobody has written. */
export type RegisterValue = string | number | null;

export type RegisterCall =
  /** `value` absent: the answer is not known. */
  | { readonly kind: 'read'; readonly key: string; readonly value?: RegisterValue }
  | { readonly kind: 'write'; readonly key: string; readonly value: RegisterValue }
  | {
      readonly kind: 'cas';
      readonly key: string;
      readonly from: RegisterValue;
      readonly to: RegisterValue;
      /** Absent: the answer is not known. */
      readonly isDone?: boolean;
    };

export function registerKey(value: RegisterValue): string {
  return typeof value === 'string' ? `'${value}` : String(value);
}
