import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { s3Server } from '../hosts/s3-server.ts'
import { assertRun } from '../support/bench.ts'
import { startBundled } from '../support/bundled.ts'
import { cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'

/** Larger than a part of an upload. */
const LARGE_BYTES = 7 * 1024 * 1024

const s3 = await s3Server()
after(() => s3.close())

test('cargo publishes to a bundled server on S3 and builds from another, large crates too', async (t) => {
  const folder = await temporaryFolder(t)
  const { storage, environment } = s3.settings()
  const settings = {
    ...environment,
    VERDACCIO_CARGO_STORAGE__S3: JSON.stringify({ ...storage.s3, self_test: true }),
  }
  const first = await startBundled(t, folder, { environment: settings })
  const token = /once:\n\n(\S+)\n/.exec(first.printed)?.[1] ?? ''
  const index = (port: number) => `sparse+http://127.0.0.1:${port}/cargo/`
  const home = await cargoHome(t, { registries: { local: index(first.port) }, tokens: { local: token } })
  const small = await project(join(folder, 'small'), { manifest: manifest('small') })
  const large = await project(join(folder, 'large'), { manifest: manifest('large') })
  await writeFile(join(large, 'noise'), randomBytes(LARGE_BYTES))
  for (const cwd of [small, large])
    assertRun(await home.cargo(['publish', '--registry', 'local'], { cwd }), 0, 'at registry `local`')
  first.child.kill('SIGTERM')
  assert.deepEqual(await once(first.child, 'exit'), [0, null])

  const second = await startBundled(t, folder, { environment: settings, again: true })
  const other = await cargoHome(t, { registries: { local: index(second.port) } })
  const app = await project(join(folder, 'app'), { manifest: manifest('app') })
  assertRun(await other.cargo(['add', 'small', 'large', '--registry', 'local'], { cwd: app }), 0)
  assertRun(await other.cargo(['build'], { cwd: app }), 0, 'Compiling small v1.0.0', 'Compiling large v1.0.0')
  assertRun(await other.cargo(['search', '--registry', 'local', 'large']), 0)
})
