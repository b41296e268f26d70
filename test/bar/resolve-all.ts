import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'
import type { RegistryProcess } from './registry-process.ts'
import type { Context } from './storm-uplink.ts'

/** How many of the crates real cargo puts into a lock file, for a project that wants any version of each. */
export async function resolveAll(
  context: Context,
  registry: RegistryProcess,
  names: readonly string[],
): Promise<{ readonly right: number; readonly of: number }> {
  const folder = await temporaryFolder(context)
  const home = await cargoHome(context, { registries: { bar: `sparse+${registry.url}/` } })
  const dependencies = names.map((name) => `${name} = { version = "*", registry = "bar" }`)
  const rest = `[dependencies]\n${dependencies.join('\n')}\n`
  await project(folder, { manifest: manifest('all', '1.0.0', rest) })
  const { code, stderr } = await home.cargo(['generate-lockfile'], { cwd: folder })
  if (code !== 0) process.stderr.write(stderr)
  const lock = code === 0 ? await readFile(join(folder, 'Cargo.lock'), 'utf8') : ''
  const right = names.filter((name) => lock.includes(`name = "${name}"\n`)).length
  return { right, of: names.length }
}
