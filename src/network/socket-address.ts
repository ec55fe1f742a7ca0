/** @module Where a plain socket goes. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}
