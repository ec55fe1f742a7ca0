/** @module What `import 'holdfast'` gives: a typed client of a Holdfast cluster. */
export { Client } from './client/client.ts';
export type { CacheSettings } from './client/cache/client-cache.ts';
export type * from './client/client-options.ts';
export { type ConnectOptions, connect } from './client/connect.ts';
export { type EnrolOptions, enrol } from './client/enrol.ts';
export type { Owner } from './client/local-user.ts';
export { defaultProfileDir, type KnownPeer, loadProfile, type Profile } from './client/profile.ts';
export type { OnProgress, TransferProgress } from './client/progress.ts';
export { type ErrorFacts, type ErrorKind, HoldfastError, isHoldfastError } from './common/errors.ts';
export { createLogger, type Logger, type LogLevel } from './common/logger.ts';
