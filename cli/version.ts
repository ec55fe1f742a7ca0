/** @module Which release this is. */
import { PACKAGE } from './package-root.ts';

export const VERSION: string = PACKAGE.manifest.version;
