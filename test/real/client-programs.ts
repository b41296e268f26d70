import { execFile } from 'node:child_process'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Kept between runs: compiling them takes a quarter of an hour on two cores. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'verdaccio-cargo-clients')
const INDEX_CLIENTS = join(import.meta.dirname, 'index-clients')

/** Versions that Rust 1.95 compiles. */
const CARGO_TOOLS = {
  'cargo-upgrade': 'cargo-edit@0.13.7',
  'cargo-outdated': 'cargo-outdated@0.19.0',
  'cargo-deny': 'cargo-deny@0.20.2',
  'cargo-binstall': 'cargo-binstall@1.24.0',
} as const
const RENOVATE = 'renovate@44.121.2'

/** They are tried, not raced: what compiles fastest will do. */
const QUICK_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_TARGET_DIR: join(CACHE, 'target'),
}

/** A `PATH` on which `cargo <tool>` finds the tool, installed first where it is not. */
export async function toolPath(tool: keyof typeof CARGO_TOOLS): Promise<string> {
  const bin = join(CACHE, 'bin')
  if (!(await exists(join(bin, tool)))) {
    // One of them has a build script that asks for the next Rust and does without.
    await cargo(['install', '--locked', '--ignore-rust-version', '--root', CACHE, CARGO_TOOLS[tool]])
  }
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`
}

/** The program in `index-clients`. */
export async function indexClients(): Promise<string> {
  await cargo(['build', '--release', '--manifest-path', join(INDEX_CLIENTS, 'Cargo.toml')])
  return join(QUICK_BUILD.CARGO_TARGET_DIR, 'release', 'index-clients')
}

/** Renovate's main script, for node. */
export async function renovate(): Promise<string> {
  const folder = join(CACHE, RENOVATE)
  const script = join(folder, 'node_modules', 'renovate', 'dist', 'renovate.js')
  if (!(await exists(script))) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"private":true}')
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', RENOVATE], { cwd: folder })
  }
  return script
}

async function cargo(args: readonly string[]): Promise<void> {
  await run('cargo', args, { env: { ...process.env, ...QUICK_BUILD }, maxBuffer: Number.POSITIVE_INFINITY })
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
