import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRun, bench } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'

/** Files beside the manifest, and what is behind its `[package]`. */
const CRATES: readonly (readonly [name: string, files: readonly string[], rest?: string])[] = [
  ['only-lib', ['src/lib.rs']],
  ['only-bin', ['src/main.rs'], 'autolib = false\n'],
  [
    'all-kinds',
    ['src/lib.rs', 'src/main.rs', 'src/bin/x.rs', 'src/bin/y/main.rs', 'tests/t.rs', 'examples/e.rs'],
  ],
  ['moved-lib', ['core.rs', 'src/bin/x.rs'], '[lib]\npath = "core.rs"\n'],
  ['named', ['src/lib.rs', 'src/bin/x.rs', 'tool.rs'], '[[bin]]\nname = "tool"\npath = "tool.rs"\n'],
  ['not-found', ['src/lib.rs', 'src/bin/x.rs'], 'autobins = false\n'],
]

test('the API tells of each version what cargo builds of it', async (t) => {
  const { server, home, project } = await bench(t)
  for (const [name, files, rest = ''] of CRATES) {
    const content = files.map((file) => [
      file,
      file.endsWith('lib.rs') || file === 'core.rs' ? '' : 'fn main() {}',
    ])
    const cwd = await project({ manifest: manifest(name, '1.0.0', rest), files: Object.fromEntries(content) })
    assertRun(await home.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd }), 0)
    const metadata = await home.cargo(['metadata', '--no-deps', '--format-version', '1'], { cwd })
    const { targets } = JSON.parse(metadata.stdout).packages[0]
    const ofKind = (kind: string): string[] =>
      targets
        .filter(({ kind: kinds }: { kind: readonly string[] }) => kinds.includes(kind))
        .map(({ name: target }: { name: string }) => target)
    const answer = await fetch(`${server.url}/api/v1/crates/${name}/1.0.0`)
    const { version } = (await answer.json()) as { version: { has_lib: unknown; bin_names: unknown } }
    assert.equal(version.has_lib, ofKind('lib').length > 0, name)
    assert.deepEqual(version.bin_names, ofKind('bin').sort(), name)
  }
})
