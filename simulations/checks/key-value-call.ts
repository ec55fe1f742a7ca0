/** @module What clients ask of a key-value store. */
export type KeyValueCall =
  /** `value` absent: the answer is not known. */
  | { readonly kind: 'get'; readonly key: string; readonly value?: string }
  | { readonly kind: 'put' | 'append'; readonly key: string; readonly value: string };
