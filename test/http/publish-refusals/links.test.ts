import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const WANTED = 'must be the name of a native library, at most 255 characters'

testRefusals('a bad name of a native library', [
  {
    what: 'empty',
    publish: crateFile().package({ links: '' }),
    detail: `invalid links \`\`: ${WANTED}`,
  },
  {
    what: 'too long',
    publish: crateFile().package({ links: 'z'.repeat(256) }),
    detail: `invalid links \`${'z'.repeat(100)}…\`: ${WANTED}`,
  },
  {
    what: 'a line break',
    publish: crateFile().package({ links: 'z\nssl' }),
    detail: 'invalid `links` in metadata: must be text without control characters, not `z\uFFFDssl`',
  },
  {
    what: 'a line break in the manifest alone',
    publish: crateFile().manifest({ package: { name: 'foo', version: '1.0.0', links: 'z\nssl' } }),
    detail: 'invalid `Cargo.toml`: `package.links` must not contain control characters',
  },
])
