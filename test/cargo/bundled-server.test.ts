import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun } from '../support/bench.ts'
import { startBundled } from '../support/bundled.ts'
import { cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'

test('what the first start prints is all that cargo needs', async (t) => {
  const folder = await temporaryFolder(t)
  const { child, printed: text } = await startBundled(t, folder)
  const config = /\[registries\.local\]\n(?:\S.*\n)+/.exec(text)?.[0] ?? ''
  const token = /once:\n\n(\S+)\n/.exec(text)?.[1] ?? ''

  const home = await cargoHome(t, { registries: {} })
  await writeFile(join(home.folder, 'config.toml'), config)
  assertRun(await home.cargo(['login', '--registry', 'local'], { input: token }), 0, 'saved')
  const hello = await project(join(folder, 'hello'), { manifest: manifest('hello') })
  const publish = await home.cargo(['publish', '--registry', 'local'], { cwd: hello })
  assertRun(publish, 0, 'Published hello v1.0.0 at registry `local`')
  const app = await project(join(folder, 'app'), { manifest: manifest('app') })
  assertRun(await home.cargo(['add', 'hello', '--registry', 'local'], { cwd: app }), 0)
  assertRun(await home.cargo(['build'], { cwd: app }), 0, 'Compiling hello v1.0.0')

  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
