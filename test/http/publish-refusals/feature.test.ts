import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

testRefusals('a bad feature', [
  {
    what: 'of an unknown feature',
    publish: crateFile().feature('a', ['b']),
    detail: 'feature `a` includes `b`: must be a feature or an optional dependency',
  },
  {
    what: 'of an unknown dependency',
    publish: crateFile().feature('a', ['dep:bar']),
    detail: 'feature `a` includes `dep:bar`: `bar` must be a dependency',
  },
  {
    what: 'of a dependency that is always there',
    publish: crateFile().dep('bar', '1').feature('a', ['dep:bar']),
    detail: 'feature `a` includes `dep:bar`: dependency `bar` must be optional',
  },
  {
    what: 'of a feature of an unknown dependency',
    publish: crateFile().feature('a', ['bar/std']),
    detail: 'feature `a` includes `bar/std`: `bar` must be a dependency',
  },
  {
    what: 'a name that is none',
    publish: crateFile().feature('a b'),
    detail:
      'invalid feature name `a b`: must start with a letter, `_` or a digit, go on with letters, digits, `_`, `-`, `+` or `.`, and have at most 255 characters',
  },
])
