import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

testRefusals(
  'a name that is taken',
  [
    ['foo-bar', 'foo_bar'],
    ['Foo', 'foo'],
    ['a_B', 'A-b'],
  ].map(([first = '', second = '']) => ({
    what: `${second} after ${first}`,
    after: crateFile(first),
    publish: crateFile(second, '2.0.0'),
    status: 409,
    detail: `crate name \`${second}\` is taken: it differs from \`${first}\` only in case, \`-\` or \`_\``,
  })),
)
