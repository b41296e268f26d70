import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const LETTERS = 'must contain only ASCII letters, digits, `-` and `_`'

testRefusals('a bad name', [
  { what: 'empty', publish: crateFile(''), detail: 'invalid crate name: must not be empty' },
  {
    what: 'a digit first',
    publish: crateFile('1foo'),
    detail: 'invalid crate name `1foo`: must start with an ASCII letter',
  },
  {
    what: 'no ASCII',
    publish: crateFile('fö'),
    detail: `invalid crate name \`fö\`: ${LETTERS}`,
  },
  {
    what: 'a path',
    publish: crateFile('a/../b'),
    detail: `invalid crate name \`a/../b\`: ${LETTERS}`,
  },
  {
    what: 'too long',
    publish: crateFile('a'.repeat(65)),
    detail: 'invalid crate name of 65 characters: must have at most 64',
  },
  {
    what: 'of the standard library',
    publish: crateFile('Proc-Macro'),
    detail: 'invalid crate name `Proc-Macro`: must not be a reserved name',
  },
  {
    what: 'of a Windows device',
    publish: crateFile('nul'),
    detail: 'invalid crate name `nul`: must not be a reserved name',
  },
])
