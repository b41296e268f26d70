import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Context, temporaryFolder } from '../support/cargo.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

/** The versions of Verdaccio that are tried. */
export const VERSIONS = ['6.5.0', '6.10.4', '9.0.0-next-9.31'] as const
export type VerdaccioVersion = (typeof VERSIONS)[number]

/** Verdaccio and the plugin, installed as a user would. */
export interface Installation {
  readonly folder: string
  readonly version: VerdaccioVersion
}

/** Installs a Verdaccio and the package as `npm pack` makes it into one folder, and `more` packages. */
export async function install(
  context: Context,
  version: VerdaccioVersion,
  more: readonly string[] = [],
): Promise<Installation> {
  const folder = await temporaryFolder(context)
  const packed = await pack(folder)
  // Verdaccio asks for a dist-tag of node-fetch that not every registry has.
  const overrides = { 'node-fetch': '2.7.0' }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }))
  const args = ['install', '--no-audit', '--no-fund', `verdaccio@${version}`, packed, ...more]
  await run('npm', args, { cwd: folder })
  return { folder, version }
}

/** Makes the package, from what was built before; the path of its file. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: ROOT })
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }]
  return join(folder, filename)
}
