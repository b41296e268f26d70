import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

/** A crate with so many dependencies. */
function withDeps(count: number) {
  const crate = crateFile()
  for (let i = 0; i < count; i++) crate.dep(`d${i}`, '1')
  return crate
}

testRefusals('a bad dependency', [
  {
    what: 'of a registry that is not allowed',
    publish: crateFile().dep('bar', { version: '1', 'registry-index': 'sparse+https://evil.example/' }),
    detail:
      'registry `sparse+https://evil.example/` of dependency `bar`: must be this registry, crates.io, or one on the list of allowed registries',
  },
  {
    what: 'of a registry that ends in .git',
    publish: crateFile().dep('bar', { version: '1', 'registry-index': 'https://a.example/index.git' }),
    options: { registries: ['https://a.example/index.git'] },
    detail: 'registry `https://a.example/index.git` of dependency `bar`: must not end in `.git`',
  },
  {
    what: 'a requirement that is none',
    publish: crateFile().dep('bar', 'one'),
    detail: 'invalid version requirement `one`: must be like `1.2`, `>=1.0, <2` or `1.*`',
  },
  {
    what: 'a name that is none',
    publish: crateFile().dep('b', { version: '1', package: 'a/b' }),
    detail:
      'invalid dependency name `a/b`: must start with a letter, go on with letters, digits, `-` or `_`, and have at most 64 characters',
  },
  {
    what: 'an optional dev-dependency',
    publish: crateFile().dep('bar', { version: '1', kind: 'dev', optional: true }),
    detail: 'invalid dependency `bar`: a dev-dependency must not be optional',
  },
  {
    what: 'a target that is none',
    publish: crateFile().dep('bar', { version: '1', target: 'cfg(' }),
    detail: 'invalid target `cfg(`: must be a target triple or a `cfg(…)` expression',
  },
  {
    what: 'an alias that is none',
    publish: crateFile().dep('1b', { version: '1', package: 'bar' }),
    detail:
      'invalid dependency alias `1b`: must start with a letter or `_`, go on with letters, digits, `-` or `_`, and have at most 64 characters',
  },
  {
    what: 'the name of a feature that is none',
    publish: crateFile().dep('bar', { version: '1', features: ['a b'] }),
    detail: 'invalid feature `a b` of dependency `bar`: must be the name of a feature',
  },
  { what: 'over 500', publish: withDeps(501), detail: 'crate has over 500 dependencies' },
])
