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

/** What the plugin needs for a bucket, and an auth plugin that is not Verdaccio's own. */
const BESIDES = ['@aws-sdk/client-s3@3', 'verdaccio-auth-memory@13.0.3']
/** Store plugins; version 9 starts with none of those that are published. */
const STORES = ['verdaccio-aws-s3-storage@10.4.0', 'verdaccio-memory@10.5.2']
/** What is installed beside each version; 6.5 does not understand how npm 11 asks for a token. */
const COMPANIONS: Readonly<Record<VerdaccioVersion, readonly string[]>> = {
  '6.5.0': [...BESIDES, ...STORES, 'npm@10.9.9'],
  '6.10.4': [...BESIDES, ...STORES],
  '9.0.0-next-9.31': BESIDES,
}

/** Verdaccio and the plugin, installed as a user would. */
export interface Installation {
  readonly folder: string
  readonly version: VerdaccioVersion
  /** The npm whose `npm token` this version understands. */
  readonly tokenNpm: string
}

/** Installs a Verdaccio and the package as `npm pack` makes it into one folder. */
export async function install(context: Context, version: VerdaccioVersion): Promise<Installation> {
  const folder = await temporaryFolder(context)
  const packed = await pack(folder)
  // Verdaccio asks for a dist-tag of node-fetch that not every registry has.
  const overrides = { 'node-fetch': '2.7.0' }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }))
  const args = ['install', '--no-audit', '--no-fund', `verdaccio@${version}`, packed, ...COMPANIONS[version]]
  await run('npm', args, { cwd: folder })
  const tokenNpm = version === '6.5.0' ? join(folder, 'node_modules', '.bin', 'npm') : 'npm'
  return { folder, version, tokenNpm }
}

/** Makes the package, from what was built before; the path of its file. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: ROOT })
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }]
  return join(folder, filename)
}
