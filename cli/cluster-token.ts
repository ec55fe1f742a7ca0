/** @module `holdfast cluster token`: who may come in, how often, and until when. */
import type { Command } from 'commander';
import type { Token } from '../src/namespace/schema.ts';
import { formatTime, parseDuration } from './duration.ts';
import { usage } from './errors.ts';
import { addClientCommand, type ClientFlags, collect, wholeNumber } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

interface CreateFlags extends ClientFlags {
  readonly role: readonly string[];
  readonly uses?: number;
  readonly unlimited?: boolean;
  readonly lifetime: number;
}

const ROLES = ['meta', 'data', 'client'];
const MAX_USES = 100_000;

export function addTokenCommands(group: Command, shell: Shell): void {
  const { terminal } = shell;
  const tokens = group.command('token').description('make, list and revoke join tokens');
  addClientCommand(
    tokens,
    'create',
    {
      summary: 'make a token; it is shown only now',
      example:
        'holdfast cluster token create --role data\nholdfast cluster token create --role client --uses 20 --lifetime 7d',
    },
    terminal,
  )
    .requiredOption('--role <roles>', `what it lets in: ${ROLES.join(',')}`, collect)
    .option('--uses <count>', 'how often it may be used (default: 1)', wholeNumber(1, MAX_USES))
    .option('--unlimited', 'any number of uses')
    .option(
      '--lifetime <time>',
      'how long it is good, like 15m, 24h, 7d',
      parseDuration,
      parseDuration('24h'),
    )
    .action((flags: CreateFlags) => create(shell, flags));
  addClientCommand(
    tokens,
    'list',
    { summary: 'all tokens and what is left of them', example: 'holdfast cluster token list' },
    terminal,
  ).action((flags: ClientFlags) => list(shell, flags));
  addClientCommand(
    tokens,
    'revoke <id>',
    {
      summary: 'make a token worthless; members that came in with it stay',
      example: 'holdfast cluster token revoke 5f1c0a9be2d34c77',
    },
    terminal,
  ).action((id: string, flags: ClientFlags) => revoke(shell, id, flags));
}

async function create(shell: Shell, flags: CreateFlags): Promise<void> {
  const unknown = flags.role.find((role) => !ROLES.includes(role));
  if (unknown !== undefined) throw usage(`"${unknown}" is not a role. Roles are ${ROLES.join(', ')}.`);
  if (flags.unlimited && flags.uses !== undefined) throw usage('Give --uses or --unlimited, not both.');
  await shell.withClient(flags, async (client) => {
    const { token, record } = await client.createToken(
      { roles: flags.role, uses: flags.uses, unlimited: flags.unlimited, lifetimeMs: flags.lifetime },
      { signal: shell.signal },
    );
    const isForNode = flags.role.some((role) => role !== 'client');
    const next = isForNode
      ? `holdfast cluster join ${token} --role ${nodeRoles(flags.role)} --start`
      : `holdfast connect ${token}`;
    const value = { token, id: record?.id, roles: flags.role, expiresMs: record?.expiresMs, next };
    await shell.output.result(value, () => ['On the machine that shall come in:', `  ${next}`]);
  });
}

function nodeRoles(roles: readonly string[]): string {
  return roles.filter((role) => role !== 'client').join(',');
}

async function list(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const tokens = await client.listTokens({ signal: shell.signal });
    await shell.output.result(tokens.map(describe), () =>
      textTable([
        ['ID', 'ROLES', 'USES LEFT', 'EXPIRES (UTC)', 'STATE', 'USED BY'],
        ...tokens.map((token) => [
          token.id,
          token.roles.join(','),
          token.unlimited ? 'any' : String(token.usesLeft),
          formatTime(token.expiresMs),
          stateOf(token),
          String(token.usedBy.length),
        ]),
      ]),
    );
  });
}

async function revoke(shell: Shell, id: string, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await client.revokeToken(id, { signal: shell.signal });
    await shell.output.result({ id, revoked: true }, () => `Token ${id} is revoked.`);
  });
}

/** Without the hash of the secret: it is nobody's business. */
function describe(token: Token): object {
  const { id, roles, usesLeft, unlimited, createdMs, expiresMs, revoked, usedBy } = token;
  return { id, roles, usesLeft, unlimited, createdMs, expiresMs, revoked, usedBy, state: stateOf(token) };
}

function stateOf(token: Token): string {
  if (token.revoked) return 'revoked';
  if (token.expiresMs <= Date.now()) return 'expired';
  return token.unlimited || token.usesLeft > 0 ? 'valid' : 'used up';
}
