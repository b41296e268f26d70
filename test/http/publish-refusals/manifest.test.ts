import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const PACKAGE = { name: 'foo', version: '1.0.0', description: 'd', license: 'MIT' }
const UNPUBLISHABLE = 'must not be there: a crate cannot be published with it'
const INHERITED = 'must not be inherited from a workspace'
const CONTROL = 'must not contain control characters'

/** A crate whose manifest has this beside, or instead of, `[package]`. */
const withTables = (tables: object) => crateFile().manifest({ package: PACKAGE, ...tables })
/** A crate whose `[package]` has these fields too. */
const withFields = (fields: object) => crateFile().manifest({ package: { ...PACKAGE, ...fields } })

testRefusals('a bad manifest', [
  {
    what: 'no UTF-8',
    publish: crateFile().manifest(Buffer.from('[package]\nname = "f\xff"\n', 'latin1')),
    detail: 'invalid `Cargo.toml`: must be UTF-8',
  },
  {
    what: 'no [package]',
    publish: withTables({ package: undefined }),
    detail: 'invalid `Cargo.toml`: `package` is missing',
  },
  {
    what: 'a workspace alone',
    publish: crateFile().manifest({ workspace: { members: ['foo'] } }),
    detail: 'invalid `Cargo.toml`: `package` is missing',
  },
  {
    what: '[project]',
    publish: crateFile().manifest({ project: PACKAGE }),
    detail: 'invalid `Cargo.toml`: `project` must be spelled `package`',
  },
  {
    what: 'no version',
    publish: withFields({ version: undefined }),
    detail: 'invalid `Cargo.toml`: `package.version` is missing',
  },
  {
    what: 'a number as name',
    publish: withFields({ name: 1 }),
    detail: 'invalid `Cargo.toml`: `package.name` must be a string',
  },
  {
    what: '[patch]',
    publish: withTables({ patch: { 'crates-io': { bar: { path: '../bar' } } } }),
    detail: `invalid \`Cargo.toml\`: \`patch\` ${UNPUBLISHABLE}`,
  },
  {
    what: '[replace]',
    publish: withTables({ replace: { 'bar:1.0.0': { path: '../bar' } } }),
    detail: `invalid \`Cargo.toml\`: \`replace\` ${UNPUBLISHABLE}`,
  },
  {
    what: 'a version inherited from a workspace',
    publish: withFields({ version: { workspace: true } }),
    detail: `invalid \`Cargo.toml\`: \`package.version\` ${INHERITED}`,
  },
  {
    what: 'keywords inherited from a workspace',
    publish: withFields({ keywords: { workspace: true } }),
    detail: `invalid \`Cargo.toml\`: \`package.keywords\` ${INHERITED}`,
  },
  {
    what: 'a dependency inherited from a workspace',
    publish: withTables({ dependencies: { bar: { workspace: true } } }),
    detail: `invalid \`Cargo.toml\`: \`dependencies.bar.workspace\` ${INHERITED}`,
  },
  {
    what: 'an escape sequence in a URL',
    publish: withFields({ homepage: 'https://a.example/\u001b[2J' }),
    detail: `invalid \`Cargo.toml\`: \`package.homepage\` ${CONTROL}`,
  },
  {
    what: 'a line break in the license',
    publish: withFields({ license: 'MIT\nApache-2.0' }),
    detail: `invalid \`Cargo.toml\`: \`package.license\` ${CONTROL}`,
  },
  {
    what: 'a NUL in the description',
    publish: withFields({ description: 'a\0b' }),
    detail: `invalid \`Cargo.toml\`: \`package.description\` ${CONTROL}`,
  },
  {
    what: 'a line break in a keyword',
    publish: withFields({ keywords: ['a', 'b\nc'] }),
    detail: `invalid \`Cargo.toml\`: \`package.keywords[1]\` ${CONTROL}`,
  },
  {
    what: 'a line break in the name of a feature',
    publish: withTables({ features: { 'a\nb': [] } }),
    detail: `invalid \`Cargo.toml\`: \`features.a\\nb\` ${CONTROL}`,
  },
  {
    what: 'too large',
    publish: crateFile().manifest('#'.repeat(256 * 1024 + 1)),
    status: 413,
    detail: '`Cargo.toml` is over 262144 bytes',
  },
])
