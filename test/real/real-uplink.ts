import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { linesOfIndexCache } from '../../src/protocol/index-cache.ts'
import { indexPath } from '../../src/protocol/name.ts'
import type { UplinkVersion } from '../support/uplink-content.ts'

/** Changes with the manifest, so that no older workspace is taken for this one. */
const FOLDER = 'cargo-real-uplink-2'
/** Eight direct dependencies; in November 2026 they made 286 crates, of 32 MB. */
const MANIFEST = `[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
axum = { version = "0.8", features = ["ws", "multipart"] }
clap = { version = "4", features = ["derive"] }
config = "0.15"
reqwest = { version = "0.13", default-features = false, features = ["json", "http2", "cookies"] }
tera = "1"
tokio = { version = "1", features = ["full"] }
tonic = "0.14"
tracing-subscriber = { version = "0.3", features = ["env-filter", "json"] }
`

/** A workspace of crates.io, with all that its resolution and its downloads ask for, as a folder. */
export interface RealUplink {
  readonly folder: string
  readonly manifest: string
  /** The lock file that crates.io itself gave. */
  readonly lock: string
}

/**
 * The real workspace, fetched once by cargo as it is set up on this machine and then kept in the temporary folder of the
 * system; `undefined` where crates.io cannot be reached.
 */
export async function realUplink(): Promise<RealUplink | undefined> {
  const folder = join(tmpdir(), FOLDER)
  const kept = await readUplink(folder)
  if (kept !== undefined) return kept
  const work = await mkdtemp(join(tmpdir(), 'cargo-real-'))
  try {
    if (!(await fetchWorkspace(work))) return undefined
    await layOut(work, join(work, 'uplink'))
    // Whoever else did the same meanwhile has the same.
    await rename(join(work, 'uplink'), folder).catch(() => {})
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return readUplink(folder)
}

/** What an uplink over the folder serves: all lines, and the files of the versions that were fetched. */
export async function realCrates(folder: string): Promise<UplinkVersion[]> {
  const files = new Set(await readdir(join(folder, 'crates')))
  const versions: UplinkVersion[] = []
  for (const path of await filesBelow(join(folder, 'index'))) {
    for (const line of (await readFile(path, 'utf8')).split('\n').filter(Boolean)) {
      const { name, vers, cksum } = JSON.parse(line) as { name: string; vers: string; cksum: string }
      const file = `${name}-${vers}.crate`
      const bytes = files.has(file) ? { bytes: await readFile(join(folder, 'crates', file)) } : {}
      versions.push({ name, version: vers, line, cksum, ...bytes })
    }
  }
  return versions
}

async function readUplink(folder: string): Promise<RealUplink | undefined> {
  const lock = await readFile(join(folder, 'Cargo.lock'), 'utf8').catch(() => undefined)
  return lock === undefined ? undefined : { folder, manifest: MANIFEST, lock }
}

/** Fetches with a home of its own; only the machine's configuration is taken over. */
async function fetchWorkspace(work: string): Promise<boolean> {
  const home = join(work, 'home')
  const app = join(work, 'app')
  await mkdir(home)
  await mkdir(join(app, 'src'), { recursive: true })
  const own = join(process.env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'config.toml')
  await copyFile(own, join(home, 'config.toml')).catch(() => {})
  await writeFile(join(app, 'Cargo.toml'), MANIFEST)
  await writeFile(join(app, 'src', 'lib.rs'), '')
  const env = { ...process.env, CARGO_HOME: home }
  return promisify(execFile)('cargo', ['fetch', '--quiet'], { cwd: app, env }).then(
    () => true,
    () => false,
  )
}

/** Cargo's own caches as the files that they were made of. */
async function layOut(work: string, folder: string): Promise<void> {
  const registry = join(work, 'home', 'registry')
  await mkdir(join(folder, 'crates'), { recursive: true })
  for (const path of await filesBelow(join(registry, 'index'))) {
    if (!path.includes('.cache')) continue
    const lines = linesOfIndexCache(await readFile(path))
    const file = join(folder, 'index', indexPath(basename(path)))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, lines)
  }
  for (const path of await filesBelow(join(registry, 'cache'))) {
    if (path.endsWith('.crate')) await copyFile(path, join(folder, 'crates', basename(path)))
  }
  await copyFile(join(work, 'app', 'Cargo.lock'), join(folder, 'Cargo.lock'))
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
