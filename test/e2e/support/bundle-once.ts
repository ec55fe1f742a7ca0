/** @module Before the end-to-end tests: the command as it is installed, which starts in half the time of its sources. */
import { bundle } from '../../../cli/bundle.ts';

export async function setup(): Promise<void> {
  await bundle();
}
