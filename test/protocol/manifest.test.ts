import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CargoError } from '../../src/errors.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../../src/protocol/manifest.ts'
import { CRATES_IO_INDEX } from '../../src/protocol/manifest-dependencies.ts'
import { crateFile } from '../support/crate-file.ts'
import { workTime } from '../support/work-time.ts'

const PACKAGE = '[package]\nname = "foo"\nversion = "1.0.0"\n'
const OWN = 'sparse+https://crates.example.com/'
const OTHER = 'sparse+https://other.example.com/'

const parse = (toml: string): ReturnType<typeof parseManifest> =>
  parseManifest(Buffer.from(toml), { isOwnRegistry: (url) => url === OWN })

const DEP = {
  name: 'a',
  req: '^1.2',
  features: [],
  optional: false,
  default_features: true,
  target: null,
  kind: 'normal',
  registry: CRATES_IO_INDEX,
} as const

test('parseManifest() reads every field of the package', () => {
  const fields = `links = "z"\nrust-version = "1.70"\nedition = "2021"\ndescription = "d\\ne"\nlicense = "MIT"
license-file = "L"\nreadme = "R.md"\nhomepage = "h"\ndocumentation = "c"\nrepository = "r"\nauthors = ["me"]
keywords = ["k"]\ncategories = ["c"]\n[features]\ndefault = ["x"]\nx = ["dep:a", "b?/c"]\n__proto__ = []`
  const { features, ...rest } = parse(`${PACKAGE}${fields}`)
  assert.deepEqual(rest, {
    name: 'foo',
    version: '1.0.0',
    deps: [],
    targets: { lib: false, bins: [], autolib: true, autobins: true },
    links: 'z',
    rustVersion: '1.70',
    edition: '2021',
    description: 'd\ne',
    license: 'MIT',
    licenseFile: 'L',
    readme: 'R.md',
    homepage: 'h',
    documentation: 'c',
    repository: 'r',
    authors: ['me'],
    keywords: ['k'],
    categories: ['c'],
  })
  const lists = [
    ['default', ['x']],
    ['x', ['dep:a', 'b?/c']],
    ['__proto__', []],
  ]
  assert.deepEqual(Object.entries(features), lists)
  assert.equal(Object.getPrototypeOf(features), Object.prototype)
})

const DEPS: readonly (readonly [string, string, object])[] = [
  ['a requirement', '[dependencies]\na = "1.2"', {}],
  ['a table', '[dependencies.a]\nversion = "1.2"', {}],
  ['a rename', '[dependencies]\na = { version = "1.2", package = "b" }', { package: 'b' }],
  ['a rename to itself', '[dependencies]\na = { version = "1.2", package = "a" }', {}],
  ['a dev-dependency', '[dev-dependencies]\na = "1.2"', { kind: 'dev' }],
  ['a build-dependency', '[build-dependencies]\na = "1.2"', { kind: 'build' }],
  ['the old spelling of build-dependencies', '[build_dependencies]\na = "1.2"', { kind: 'build' }],
  [
    'a platform',
    '[target.x86_64-pc-windows-msvc.dependencies]\na = "1.2"',
    { target: 'x86_64-pc-windows-msvc' },
  ],
  ['an expression', '[target."cfg(unix)".dev-dependencies]\na = "1.2"', { target: 'cfg(unix)', kind: 'dev' }],
  ['this registry', `[dependencies]\na = { version = "1.2", registry-index = "${OWN}" }`, { registry: null }],
  [
    'another registry',
    `[dependencies]\na = { version = "1.2", registry-index = "${OTHER}" }`,
    { registry: OTHER },
  ],
  [
    'features',
    '[dependencies]\na = { version = "1.2", features = ["x"], optional = true }',
    { features: ['x'], optional: true },
  ],
  [
    'no default features',
    '[dependencies]\na = { version = "1.2", default-features = false }',
    { default_features: false },
  ],
  [
    'the old spelling of default-features',
    '[dependencies]\na = { version = "1.2", default_features = false }',
    { default_features: false },
  ],
  [
    'an artifact',
    '[dependencies]\na = { version = "1.2", artifact = "bin", target = "target", lib = true }',
    { artifact: ['bin'], bindep_target: 'target', lib: true },
  ],
  [
    'several artifacts',
    '[dependencies]\na = { version = "1.2", artifact = ["bin:x", "cdylib"], public = true }',
    { artifact: ['bin:x', 'cdylib'], public: true },
  ],
]

for (const [what, toml, changes] of DEPS) {
  test(`parseManifest() reads a dependency with ${what}`, () => {
    assert.deepEqual(parse(`${PACKAGE}${toml}`).deps, [{ ...DEP, ...changes }])
  })
}

const BAD: readonly (readonly [string, string, string, string])[] = [
  ['no package', '[dependencies]', 'invalid_manifest', 'invalid `Cargo.toml`: `package` is missing'],
  [
    'no name',
    '[package]\nversion = "1.0.0"',
    'invalid_manifest',
    'invalid `Cargo.toml`: `package.name` is missing',
  ],
  [
    'an inherited version',
    '[package]\nname = "a"\nversion.workspace = true',
    'invalid_manifest',
    'invalid `Cargo.toml`: `package.version` must not be inherited from a workspace',
  ],
  [
    '[patch]',
    `${PACKAGE}[patch.crates-io]`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `patch` must not be there: a crate cannot be published with it',
  ],
  [
    'an inherited dependency',
    `${PACKAGE}[dependencies]\na.workspace = true`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.workspace` must not be inherited from a workspace',
  ],
  [
    'a path only',
    `${PACKAGE}[dependencies]\na.path = "../a"`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.version` is missing',
  ],
  [
    'git only',
    `${PACKAGE}[dependencies]\na.git = "https://x"`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.version` is missing',
  ],
  [
    'a git URL beside the version',
    `${PACKAGE}[dependencies]\na = { version = "1", git = "https://x" }`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.git` must not be there: the index would name another source than the manifest',
  ],
  [
    'a path beside the version',
    `${PACKAGE}[target."cfg(unix)".dependencies]\na = { version = "1", path = "../a" }`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `target.cfg(unix).dependencies.a.path` must not be there: the index would name another source than the manifest',
  ],
  [
    'over 500 dependencies',
    `${PACKAGE}[dependencies]\n${manyKeys(501, '"1"')}`,
    'invalid_dependency',
    'crate has over 500 dependencies',
  ],
  [
    'over 5000 features',
    `${PACKAGE}[features]\n${manyKeys(5001, '[]')}`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `features` must be at most 5000, not 5001',
  ],
  [
    'an empty dependency',
    `${PACKAGE}[dependencies]\na = {}`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.version` is missing',
  ],
  [
    'a named registry',
    `${PACKAGE}[dependencies]\na = { version = "1", registry = "x" }`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a.registry` must be a `registry-index` URL: a registry has its name on one machine only',
  ],
  [
    'a number for a dependency',
    `${PACKAGE}[dependencies]\na = 1`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a` must be a version requirement or a table',
  ],
  [
    'a list for a dependency',
    `${PACKAGE}[dependencies]\na = ["1"]`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dependencies.a` must be a version requirement or a table',
  ],
  [
    'both spellings',
    `${PACKAGE}[dev-dependencies]\n[dev_dependencies]`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `dev_dependencies` must not be there beside `dev-dependencies`',
  ],
  [
    'features that are no lists',
    `${PACKAGE}[features]\na = "b"`,
    'invalid_manifest',
    'invalid `Cargo.toml`: `features.a` must be a list of strings',
  ],
]

for (const [what, toml, code, message] of BAD) {
  test(`parseManifest() refuses ${what}`, () => {
    assert.throws(() => parse(toml), { code, message })
  })
}

test('parseManifest() refuses text that is not UTF-8', () => {
  const bytes = Buffer.concat([Buffer.from(PACKAGE), Buffer.from([0x23, 0xff])])
  assert.throws(() => parseManifest(bytes), { code: 'invalid_manifest' })
})

test('parseManifest() touches no prototype when keys are named like one', () => {
  for (const key of ['__proto__.x = 1', 'constructor.prototype.x = 1', 'a.__proto__.__proto__.x = 1']) {
    parse(`${PACKAGE}[package.metadata]\n${key}\n[metadata]\n${key}`)
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
  }
})

test('parseManifest() reads what the builder writes', () => {
  const crate = crateFile()
    .dep('a', { version: '1.2', kind: 'dev', target: 'cfg(unix)' })
    .feature('f', ['a/x'])
  const { deps, ...metadata } = crate.metadata()
  const manifest = parse(crate.tar().subarray(512).toString().split('\0')[0] ?? '')
  assert.deepEqual(manifest.deps, [{ ...DEP, kind: 'dev', target: 'cfg(unix)' }])
  assert.equal(deps[0]?.version_req, '^1.2')
  assert.deepEqual(
    [manifest.name, manifest.version, manifest.features],
    [metadata.name, metadata.vers, { f: ['a/x'] }],
  )
})

test('parseManifest() does not stall for long with the largest manifest', () => {
  const documents = [
    `${PACKAGE}[dependencies]\n${manyKeys(20_000, '"1"')}`,
    `${PACKAGE}[features]\n${manyKeys(15_000, '["b", "c"]')}`,
    `${PACKAGE}${'[[x.y]]\n'.repeat(30_000)}`,
    `${PACKAGE}${'a.'.repeat(120_000)}b = 1`,
    `${PACKAGE}x = ${'1'.repeat(250_000)}`,
  ]
  for (const document of documents) {
    const bytes = Buffer.from(document)
    assert.ok(bytes.length < MAX_MANIFEST_BYTES)
    const took = Math.min(...[1, 2, 3].map(() => timeToParse(bytes)))
    assert.ok(took < 250, `${document.slice(40, 80)} took ${took} ms`)
  }
  assert.throws(() => parseManifest(Buffer.alloc(MAX_MANIFEST_BYTES + 1, '#')), { code: 'too_large' })
})

function timeToParse(bytes: Buffer): number {
  const worked = workTime()
  try {
    parseManifest(bytes)
  } catch (error) {
    assert.ok(error instanceof CargoError)
  }
  return worked()
}

function manyKeys(count: number, value: string): string {
  return Array.from({ length: count }, (_, i) => `k${i}=${value}\n`).join('')
}
