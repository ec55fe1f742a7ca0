/** @module Arguments, help, errors and their forms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { HoldfastError } from '../../src/common/errors.ts';
import { interrupted } from '../../cli/errors.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { Output } from '../../cli/output.ts';
import { PACKAGE } from '../../cli/package-root.ts';
import { buildProgram, SECTIONS } from '../../cli/program.ts';
import { Shell } from '../../cli/shell.ts';
import { processTerminal } from '../../cli/terminal.ts';
import { FakeClient, run } from './fake-terminal.ts';

const whole = await program();

describe('the command line', () => {
  it('has every command of the README', () => {
    expect(leaves(whole).map(({ name }) => name)).toEqual(
      (
        'cluster init|cluster join|cluster token create|cluster token list|cluster token revoke|cluster status|' +
        'cluster members|cluster transfer-leader|cluster set|cluster remove|cluster leave|cluster recover|node drain|node undrain|node remove|node rejoin|node start|connect|put|append|get|cat|ls|stat|ln|chmod|chown|mkdir|rmdir|mv|cp|rm|touch|du|df|locate|lshere|setrep|balance|fsck|explain|doctor|gc status|gc run|gc undo|gc set|gc pause|gc resume|backup now|backup list|recover namespace|recover finish|recover open|scrub status|scrub run|scrub pause|scrub resume|worker list|worker pause|worker resume|worker run|demo|simulate|chaos|dht status|dht lookup|dht shards'
      ).split('|'),
    );
  });

  it('is told of in the README’s table, which tells of no other command', () => {
    const names = leaves(whole).map(({ name }) => name);
    const told = commandsOfReadme();
    expect(names.filter((name) => !told.has(name))).toEqual([]);
    expect([...told].filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(SECTIONS)('has $names alone when one of them is asked for', async ({ heading, names }) => {
    for (const name of names) {
      const { commands } = await program([name, '--json']);
      expect(commands.map((command) => command.name())).toEqual(names);
      expect(commands[0]?.helpGroup()).toBe(heading);
    }
  });

  it('takes a token from the first line of standard input, where no list of processes shows it', async () => {
    const mistyped = await run(['connect', '-'], { stdin: ' hf1_not!a!token \nmore' });
    expect(mistyped).toMatchObject({ status: EXIT.denied });
    expect(mistyped.stderr).toContain('it holds characters that no token has');
    expect(await run(['cluster', 'join', '-'], { stdin: '' })).toMatchObject({ status: EXIT.usage });
    const ctrlC = new AbortController();
    const waiting = run(['node', 'rejoin', '-'], { signal: ctrlC.signal });
    ctrlC.abort(interrupted('SIGINT'));
    expect(await waiting).toMatchObject({ status: EXIT.interrupted });
  });

  it('tells of the failure itself when closing down afterwards fails, too', async () => {
    const client = new FakeClient();
    client[Symbol.asyncDispose] = () => Promise.reject(new Error('closing failed'));
    const { status, stderr } = await run(['stat', '/nothing', '--json'], { client });
    expect(status).toBe(EXIT.notFound);
    expect(stderr).toContain('NAMESPACE_NOT_FOUND');
  });

  it.each(leaves(whole).map(({ name, command }) => [name, command] as const))(
    '%s has --json and a --help with an example of itself',
    async (name, command) => {
      expect(command.options.some(({ long }) => long === '--json')).toBe(true);
      const { status, stdout } = await run([...name.split(' '), '--help']);
      expect(status).toBe(0);
      expect(stdout).toContain(`Example:\n  holdfast ${name}`);
    },
  );

  it.each([
    [['frobnicate']],
    [['put']],
    [['put', 'only-one']],
    [['ls', '--frobnicate']],
    [['put', 'a', '/b', '--block-size', 'huge']],
    [['put', 'a', '/b', '--block-size', '63KiB']],
    [['cluster', 'init', '--block-size', '129MiB']],
    [['cluster', 'set', 'constructor', '1']],
    [['cluster', 'token', 'create', '--role', 'king']],
    [['get', '/a', '/b', 'not-a-directory']],
    [['put', '-r', '--if-version', '1', 'a', '/b']],
    [['cluster', 'set', 'voter-replacement', 'soon']],
    [['cluster', 'set', 'colour', 'blue']],
    [['put', '--append', '--if-absent', 'a', '/b']],
    [['put', '--append', '--block-size', '64K', 'a', '/b']],
    [['chmod', '999', '/a']],
    [['chmod', 'u+t', '/a']],
    [['chmod', 'x', '/a']],
    [['chmod', 'u+x,', '/a']],
    [['chown', ':', '/a']],
    [['chown', 'a:b:c', '/a']],
    [['ln', 'target', '/a']],
    [['setrep', '0', '/a']],
    [['mv', '-T', '/a', '/b', '/c']],
    [['cluster', 'init', '--listen', '']],
    [['put', '', '/b']],
    [['get', '/a', '']],
    [['cluster', 'join', 'hf1_token', '--role', ',']],
  ])('ends with 2 on a mistake in the arguments: %j', async (words) => {
    const { status, stdout, stderr } = await run(words);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  it('tells mistakes as JSON with --json, once', async () => {
    const { stderr } = await run(['ls', '--json', '--frobnicate']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CLI_USAGE', kind: 'refused', facts: {} } });
  });

  it('tells refusals in words with the code, or as JSON', async () => {
    const client = new FakeClient();
    const text = await run(['stat', '/gone'], { client });
    expect(text).toMatchObject({ status: 3, stderr: 'holdfast: No: /gone [NAMESPACE_NOT_FOUND]\n' });
    const json = await run(['stat', '/gone', '--json'], { client });
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'NAMESPACE_NOT_FOUND', kind: 'refused', message: 'No: /gone', facts: { path: '/gone' } },
    });
  });

  it('takes a --json after -- for a name', async () => {
    const { stderr } = await run(['stat', '--', '--json']);
    expect(stderr).toContain('No: /--json');
  });

  it('ends with 130 and the reason when it was interrupted, whatever the work threw', async () => {
    const signal = AbortSignal.abort(interrupted('SIGINT'));
    const { status, stderr } = await run(['stat', '/gone'], { signal });
    expect(status).toBe(130);
    expect(stderr).toContain('Stopped by SIGINT');
  });

  it('never sends the control characters of a name to the terminal', async () => {
    const client = new FakeClient();
    client.files.set('/a\u001b[2J', new Uint8Array());
    const { stdout } = await run(['ls', '/a\u001b[2J'], { client });
    expect(stdout).toBe('/a\\x1b[2J\n');
  });

  it.each([
    ['/a\nb', '/a\\x0ab'],
    ['/a\u202egpj.exe', '/a\\u202egpj.exe'],
  ])('shows %j in one line and in one direction, whatever command it is', async (path, shown) => {
    const client = new FakeClient();
    client.files.set(path, new Uint8Array());
    for (const words of [
      ['ls', path],
      ['stat', path],
      ['mv', path, '/moved'],
    ]) {
      const { stdout } = await run(words, { client });
      expect(stdout).toContain(shown);
      expect(stdout).not.toContain(path);
    }
  });

  it('shows a name in one line in what it refuses, too', async () => {
    const { stderr } = await run(['stat', '/a\nholdfast: all is well']);
    expect(stderr).toBe('holdfast: No: /a\\x0aholdfast: all is well [NAMESPACE_NOT_FOUND]\n');
  });

  it('says for each setting of the cluster what a value looks like', async () => {
    const { stderr } = await run(['cluster', 'set', 'dead-after', 'soon']);
    expect(stderr).toContain('holdfast cluster set dead-after 2m');
  });
});

describe('rm', () => {
  it('says what -r is for, and ignores what is not there with -f', async () => {
    const client = new FakeClient();
    client.directories.add('/d');
    expect(await run(['rm', '/d'], { client })).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('CLI_NEEDS_RECURSIVE') as string,
    });
    expect((await run(['rm', '/x'], { client })).status).toBe(3);
    expect((await run(['rm', '-f', '/x'], { client })).status).toBe(0);
  });
});

describe('a command on several paths', () => {
  it.each([
    ['rm', ['/gone', '/there']],
    ['stat', ['/gone', '/there']],
    ['mkdir', ['/no/parent', '/new']],
    ['touch', ['/no/parent', '/new']],
    ['rmdir', ['/gone', '/empty']],
    ['chmod', ['600', '/gone', '/there']],
  ] as const)('%s goes on after a failure, tells it, and ends with 11', async (command, words) => {
    const client = new FakeClient();
    client.files.set('/there', new Uint8Array());
    client.directories.add('/empty');
    const { status, stdout, stderr } = await run([command, ...words], { client });
    expect(status).toBe(11);
    expect(stderr).toMatch(new RegExp(`${words.at(-2)}.* \\[NAMESPACE_NOT_FOUND\\]`));
    expect(stderr).toContain('CLI_PARTLY_FAILED');
    const last = words.at(-1) ?? '';
    const reached = {
      rm: !client.files.has('/there'),
      stat: stdout.includes('/there'),
      mkdir: client.directories.has(last),
      touch: client.files.has(last),
      rmdir: !client.directories.has(last),
      chmod: client.attributes.has(last),
    };
    expect(reached[command]).toBe(true);
  });

  it('mv and ls go on after a failure, tell it, and end with 11', async () => {
    const client = new FakeClient();
    client.directories.add('/d');
    client.files.set('/there', Buffer.from('T'));
    client.rename = async (from, to) => {
      const content = client.files.get(from);
      if (content === undefined) throw refusal('NAMESPACE_NOT_FOUND', from);
      client.files.set(to, content);
      client.files.delete(from);
    };
    const listed = await run(['ls', '/gone', '/there'], { client });
    expect(listed).toMatchObject({ status: 11, stdout: '/there\n' });
    expect(listed.stderr).toContain('No: /gone [NAMESPACE_NOT_FOUND]');
    const moved = await run(['mv', '/gone', '/there', '/d'], { client });
    expect(moved).toMatchObject({ status: 11, stdout: '/there -> /d/there\n' });
    expect(moved.stderr).toContain('No: /gone [NAMESPACE_NOT_FOUND]');
  });

  it('ends at once when the cluster does not answer', async () => {
    const client = new FakeClient();
    let asked = 0;
    client.unlink = async () => {
      asked += 1;
      throw new HoldfastError({ code: 'METADATA_NO_QUORUM', kind: 'unavailable', message: 'nobody' });
    };
    expect((await run(['rm', '/a', '/b'], { client })).status).toBe(7);
    expect(asked).toBe(1);
  });
});

describe('a walk through a tree', () => {
  /** `/t/a`, and `/t/gone`, which somebody removes when it has been listed. */
  function vanishing(): FakeClient {
    const client = new FakeClient();
    client.directories.add('/t').add('/t/gone').add('/t/z');
    client.files.set('/t/a', new Uint8Array());
    return client;
  }

  it('goes on when others remove what it was told of: ls -R', async () => {
    const client = vanishing();
    const list = client.list.bind(client);
    client.list = async function* (path) {
      if (path === '/t/gone') throw refusal('NAMESPACE_NOT_FOUND', path);
      yield* list(path);
    };
    const { status, stdout, stderr } = await run(['ls', '-R', '/t'], { client });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('/t/z:');
    client.directories.delete('/t');
    expect((await run(['ls', '-R', '/t'], { client })).status).toBe(3);
  });

  it.each([
    ['chmod', ['chmod', '-R', 'u+x', '/t']],
    ['setrep', ['setrep', '-r', '2', '/t']],
  ])('goes on when others remove what it was told of: %s', async (_name, words) => {
    const client = vanishing();
    client.files.set('/t/gone', new Uint8Array());
    client.directories.delete('/t/gone');
    const changed: string[] = [];
    const change = async (path: string): Promise<void> => {
      if (path === '/t/gone') throw refusal('NAMESPACE_NOT_FOUND', path);
      changed.push(path);
    };
    Object.assign(client, { setAttributes: change, setReplication: change });
    const { status, stdout, stderr } = await run(words, { client });
    expect([status, stderr]).toEqual([0, '']);
    expect(changed).toEqual(expect.arrayContaining(['/t', '/t/a']));
    expect(stdout).not.toContain('gone');
  });

  it('does not fail a check for a file that somebody removes meanwhile', async () => {
    const client = vanishing();
    client.files.set('/t/gone', new Uint8Array());
    const check = async (path: string): Promise<object> => {
      if (path === '/t/gone') throw refusal('NAMESPACE_NOT_FOUND', path);
      return { state: 'healthy', stat: await client.stat(path), blocks: [] };
    };
    Object.assign(client, { fileChecker: () => ({ check }) });
    expect(await run(['fsck', '/'], { client })).toMatchObject({
      status: 0,
      stdout: '1 file, all healthy.\n',
    });
  });
});

describe('a target that is to be a directory', () => {
  it.each([
    ['put', ['put', 'package.json', '/f/']],
    ['put --parents', ['put', '--parents', 'package.json', '/f/']],
    ['mv', ['mv', '/g', '/f/']],
  ])('and is a file is called one, and nobody told to make it: %s', async (_name, words) => {
    const client = new FakeClient();
    client.files.set('/f', new Uint8Array()).set('/g', new Uint8Array());
    const { status, stderr } = await run(words, { client });
    expect(status).toBe(5);
    expect(stderr).toContain('/f is a file, and the command needs a directory there.');
    expect(stderr).not.toContain('mkdir');
  });
});

describe('mv', () => {
  it('refuses two sources that would become one: of the first nothing would be left', async () => {
    const client = new FakeClient();
    client.directories.add('/d');
    client.files.set('/a/x', Buffer.from('a')).set('/b/x', Buffer.from('b'));
    const { status, stderr } = await run(['mv', '/a/x', '/b/x', '/d'], { client });
    expect([status, [...client.files.keys()]]).toEqual([2, ['/a/x', '/b/x']]);
    expect(stderr).toContain('would both become /d/x');
  });

  it('onto a directory means into it; several sources need one', async () => {
    const client = new FakeClient();
    client.directories.add('/d');
    for (const path of ['/a', '/b', '/c']) client.files.set(path, new Uint8Array());
    await run(['mv', '/a', '/d'], { client });
    await run(['mv', '/b', 'c', '/d/'], { client });
    expect([...client.files.keys()]).toEqual(['/d/a', '/d/b', '/d/c']);
    expect((await run(['mv', '/d/a', '/d/b', '/nowhere'], { client })).status).toBe(5);
    expect((await run(['mv', '/d/a', '/nowhere/'], { client })).status).toBe(5);
    expect((await run(['mv', '--no-clobber', '/d/a', '/d/b'], { client })).status).toBe(4);
  });
});

function refusal(code: string, path: string): HoldfastError {
  return new HoldfastError({ code, kind: 'refused', message: `No: ${path}` });
}

function program(words: readonly string[] = []): Promise<Command> {
  const terminal = processTerminal();
  const output = new Output(terminal, { json: false });
  return buildProgram(
    new Shell({ terminal, output, connect: notHere }, { signal: new AbortController().signal }),
    words,
  );
}

/** Of the first column of the table; `cluster token create\\|list` names two. */
function commandsOfReadme(): Set<string> {
  const [, commands = ''] = readFileSync(join(PACKAGE.root, 'README.md'), 'utf8').split('\n## The command\n');
  const [section = ''] = commands.split('\n## ');
  const firstColumn = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((row) => row.split(' | ')[0] ?? '');
  const spans = firstColumn.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span));
  const names = spans.flatMap((span) => {
    const [first = [], ...others] = span.split('\\|').map(leadingNames);
    return [first, ...others.map((last) => [...first.slice(0, -1), ...last])].map((words) => words.join(' '));
  });
  return new Set(names.filter((name) => name !== ''));
}

/** The words before the first option or argument. */
function leadingNames(span: string): string[] {
  const words = span.split(' ');
  const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  return end === -1 ? words : words.slice(0, end);
}

function notHere(): never {
  throw new Error('No command runs in these tests.');
}

function leaves(command: Command, prefix: readonly string[] = []): { name: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const path = [...prefix, child.name()];
    return child.commands.length > 0 ? leaves(child, path) : [{ name: path.join(' '), command: child }];
  });
}
