import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)

/** A crate with these features, whose metadata leaves them to the manifest. */
const withFeatures = (features: Readonly<Record<string, readonly string[]>>) =>
  crateFile().manifest({ package: { name: 'foo', version: '1.0.0' }, features })

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
  {
    what: 'over 5000',
    publish: withFeatures(Object.fromEntries(names(5001).map((name) => [name, []]))),
    detail: 'invalid `Cargo.toml`: `features` must be at most 5000, not 5001',
  },
  {
    what: 'over 5000 entries',
    publish: withFeatures({ all: names(5001) }),
    detail: 'feature `all` enables `5001` items: at most 5000 are allowed',
  },
])
