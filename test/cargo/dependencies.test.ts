import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startServer } from '../support/server.ts'

const CRATES_IO = 'https://github.com/rust-lang/crates.io-index'

overEachTransport('dependencies', (transport) => {
  test('of every kind are in the index as published, and are built', async (t) => {
    const { server, home, project, publish, freshHome } = await bench(t, { transport })
    const names = ['plain', 'renamed', 'unixy', 'windowsy', 'builder', 'tester', 'maybe', 'weak']
    await server.seed(...names.map((name) => crateFile(name).feature('extra')))
    const rest = `[dependencies]
plain = { version = ">=1.0, <2", registry = "ours", default-features = false, features = ["extra"] }
alias = { package = "renamed", version = "1", registry = "ours" }
maybe = { version = "1", registry = "ours", optional = true }
weak = { version = "1.0.0", registry = "ours", optional = true }

[target.'cfg(unix)'.dependencies]
unixy = { version = "1", registry = "ours" }

[target.x86_64-pc-windows-msvc.dependencies]
windowsy = { version = "1", registry = "ours" }

[build-dependencies]
builder = { version = "1", registry = "ours" }

[dev-dependencies]
tester = { version = "1", registry = "ours" }

[features]
default = ["with-maybe"]
with-maybe = ["dep:maybe", "weak?/extra"]
with-weak = ["dep:weak"]
`
    const files = {
      'src/lib.rs': 'pub use plain as p; pub use alias as a; #[cfg(unix)] pub use unixy as u;',
      'build.rs': 'use builder as _; fn main() {}',
    }
    assertRun(await publish({ manifest: manifest('many', '1.0.0', rest), files }), 0)
    const [entry] = await server.entries('many')
    const dep = (name: string, more: object = {}) => ({
      name,
      req: '^1',
      features: [],
      optional: false,
      default_features: true,
      target: null,
      kind: 'normal',
      ...more,
    })
    assert.deepEqual(JSON.parse(JSON.stringify(entry?.deps.map(({ registry, ...rest }) => rest))), [
      dep('alias', { package: 'renamed' }),
      dep('builder', { kind: 'build' }),
      dep('maybe', { optional: true }),
      dep('plain', { req: '>=1.0, <2', features: ['extra'], default_features: false }),
      dep('tester', { kind: 'dev' }),
      dep('unixy', { target: 'cfg(unix)' }),
      dep('weak', { req: '^1.0.0', optional: true }),
      dep('windowsy', { target: 'x86_64-pc-windows-msvc' }),
    ])
    assert.ok(entry?.deps.every(({ registry }) => registry == null))
    assert.deepEqual(
      { ...entry?.features, ...entry?.features2 },
      {
        default: ['with-maybe'],
        'with-maybe': ['dep:maybe', 'weak?/extra'],
        'with-weak': ['dep:weak'],
      },
    )
    const cwd = await project({
      manifest: manifest('app', '0.1.0', '[dependencies]\nmany = { version = "1", registry = "ours" }\n'),
    })
    const check = await (await freshHome()).cargo(['check'], { cwd })
    assertRun(check, 0, 'Checking maybe v1.0.0', 'Compiling builder v1.0.0', 'Checking renamed v1.0.0')
    assert.doesNotMatch(check.stderr, /(Checking|Compiling) (weak|tester|windowsy)/)
    const tree = await home.cargo(['tree', '-e', 'features', '-i', 'maybe'], { cwd })
    assertRun(tree, 0, 'many feature "with-maybe"')
  })

  test('on crates.io and on another registry keep their addresses', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    const cratesIo = await startServer(t)
    const other = await startServer(t)
    await cratesIo.seed(crateFile('public-crate'))
    await other.seed(crateFile('other-crate'))
    const second = await bench(t, { transport, options: { registries: [other.index] } })
    const registries = { ours: second.server.index, other: other.index }
    const home = await second.freshHome({
      registries,
      tokens: { ours: 'ann-token' },
      cratesIo: cratesIo.index,
    })
    const rest = `[dependencies]
public-crate = "1"
other-crate = { version = "1", registry = "other" }
`
    const cwd = await second.project({ manifest: manifest('mixed', '1.0.0', rest) })
    assertRun(await home.cargo(['publish', '--registry', 'ours'], { cwd }), 0, 'Published mixed v1.0.0')
    const [entry] = await second.server.entries('mixed')
    assert.deepEqual(
      entry?.deps.map(({ name, registry }) => [name, registry]),
      [
        ['other-crate', other.index],
        ['public-crate', CRATES_IO],
      ],
    )
    const app = await second.project({
      manifest: manifest('app', '0.1.0', '[dependencies]\nmixed = { version = "1", registry = "ours" }\n'),
    })
    const fresh = await second.freshHome({ registries, cratesIo: cratesIo.index })
    assertRun(await fresh.cargo(['check'], { cwd: app }), 0, 'Checking mixed v1.0.0')
    const lock = await readFile(join(app, 'Cargo.lock'), 'utf8')
    assert.match(
      lock,
      /name = "public-crate"\nversion = "1\.0\.0"\nsource = "registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index"/,
    )
    assert.ok(lock.includes(`name = "other-crate"\nversion = "1.0.0"\nsource = "${other.index}"`), lock)
    assert.ok(lock.includes(`name = "mixed"\nversion = "1.0.0"\nsource = "${second.server.index}"`), lock)
    const metadata = await fresh.cargo(['metadata', '--format-version=1'], { cwd: app })
    const mixed = JSON.parse(metadata.stdout).packages.find(({ name }: { name: string }) => name === 'mixed')
    assert.deepEqual(
      mixed.dependencies.map((found: { name: string; registry: string | null }) => [
        found.name,
        found.registry,
      ]),
      [
        ['other-crate', other.index],
        ['public-crate', null],
      ],
    )
    // A registry that is not on the list is refused, by name.
    const denied = await freshHome({
      registries: { ours: server.index, other: other.index },
      tokens: { ours: 'ann-token' },
    })
    const unlisted = await project({
      manifest: manifest(
        'mixed',
        '1.0.0',
        '[dependencies]\nother-crate = { version = "1", registry = "other" }\n',
      ),
    })
    const run = await denied.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd: unlisted })
    assertRun(run, 101, 'status 400 Bad Request', other.index)
  })

  test('with the same `links` key are refused by cargo', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(
      crateFile('sys-one')
        .package({ links: 'z', build: 'build.rs' })
        .add('sys-one-1.0.0/build.rs', 'fn main(){}'),
      crateFile('sys-two')
        .package({ links: 'z', build: 'build.rs' })
        .add('sys-two-1.0.0/build.rs', 'fn main(){}'),
    )
    const rest = `[dependencies]
sys-one = { version = "1", registry = "ours" }
sys-two = { version = "1", registry = "ours" }
`
    const cwd = await project({ manifest: manifest('app', '0.1.0', rest) })
    const run = await home.cargo(['generate-lockfile'], { cwd })
    assertRun(run, 101, 'links to the native library `z`')
  })

  test('with a newer `rust-version` are avoided', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(
      crateFile('modern', '1.0.0').package({ 'rust-version': '1.60' }),
      crateFile('modern', '1.1.0').package({ 'rust-version': '1.999' }),
    )
    const rest = `rust-version = "1.70"
resolver = "3"

[dependencies]
modern = { version = "1", registry = "ours" }
`
    const cwd = await project({ manifest: manifest('app', '0.1.0', rest) })
    assertRun(
      await home.cargo(['generate-lockfile'], { cwd }),
      0,
      /Adding modern v1\.0\.0 .*\(available: v1\.1\.0, requires Rust 1\.999\)/,
    )
  })
})
