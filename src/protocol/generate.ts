/** @module Regenerates the message codecs from the .proto files: `npm run proto`, or into another directory that is named. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [, , target = root] = process.argv;

const OPTIONS = [
  'esModuleInterop=true',
  'importSuffix=.ts',
  'forceLong=number',
  'oneof=unions-value',
  'outputJsonMethods=false',
  'outputPartialMethods=true',
  'outputTypeRegistry=false',
  'useExactTypes=false',
].join(',');

/** Each folder owns the schema of what it stores or says; the codec lands beside it. */
const UNITS = [
  { folder: 'dht', files: ['dht/messages.proto'] },
  { folder: 'src', files: ['src/protocol/messages.proto', 'src/namespace/schema.proto'] },
];

for (const unit of UNITS) {
  const template = JSON.stringify({
    version: 'v2',
    plugins: [
      {
        local: 'node_modules/.bin/protoc-gen-ts_proto',
        out: join(target, unit.folder),
        opt: OPTIONS.split(','),
      },
    ],
  });
  const args = [
    'generate',
    unit.folder,
    '--template',
    template,
    ...unit.files.flatMap((file) => ['--path', file]),
  ];
  const { status } = spawnSync('node_modules/.bin/buf', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
