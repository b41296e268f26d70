import type { PublishMetadata } from '../../../src/protocol/metadata.ts'
import { type CrateFile, crateFile, publishBody } from '../../support/crate-file.ts'
import { type Refusal, testRefusals } from './refusal.ts'

function differing(field: string, said: string, written: string, crate: CrateFile, changes: object): Refusal {
  return {
    what: field,
    publish: publishBody(crate, changes as Partial<PublishMetadata>),
    detail: `metadata and \`Cargo.toml\` must agree on \`${field}\`: metadata has ${said}, \`Cargo.toml\` has ${written}`,
  }
}

const dependent = () => crateFile().dep('bar', '1')
const [dep] = dependent().metadata().deps

testRefusals('metadata that differs from the manifest', [
  {
    what: 'name',
    publish: crateFile().manifest({ package: { name: 'bar', version: '1.0.0' } }),
    detail: 'metadata and `Cargo.toml` must agree on `name`: metadata has `foo`, `Cargo.toml` has `bar`',
  },
  {
    what: 'version',
    publish: crateFile().manifest({ package: { name: 'foo', version: '1.0.1' } }),
    detail: 'metadata and `Cargo.toml` must agree on `vers`: metadata has `1.0.0`, `Cargo.toml` has `1.0.1`',
  },
  differing('links', '`a`', 'nothing', crateFile(), { links: 'a' }),
  differing('rust_version', 'nothing', '`1.70`', crateFile().package({ 'rust-version': '1.70' }), {
    rust_version: null,
  }),
  differing('dependency', '`bar (normal)`', 'nothing', crateFile(), { deps: [dep] }),
  differing('dependency', 'nothing', '`bar (normal)`', dependent(), { deps: [] }),
  differing('version_req of dependency bar (normal)', '`^2`', '`^1`', dependent(), {
    deps: [{ ...dep, version_req: '^2' }],
  }),
  differing('name of dependency bar (normal)', '`evil`', '`bar`', dependent(), {
    deps: [{ ...dep, name: 'evil', explicit_name_in_toml: 'bar' }],
  }),
  differing(
    'registry of dependency bar (normal)',
    '`this registry`',
    '`https://github.com/rust-lang/crates.io-index`',
    dependent(),
    {
      deps: [{ ...dep, registry: null }],
    },
  ),
  differing('optional of dependency bar (normal)', '`true`', '`false`', dependent(), {
    deps: [{ ...dep, optional: true }],
  }),
  differing('feature', '`extra`', 'nothing', crateFile(), { features: { extra: [] } }),
  differing('feature std', '`["alloc"]`', '`[]`', crateFile().feature('std').feature('alloc'), {
    features: { std: ['alloc'], alloc: [] },
  }),
])
