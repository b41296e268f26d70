import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian's package for each program that is not on npm. */
const PACKAGES = {
  'redis-server': 'redis-server',
  openssl: 'openssl',
  script: 'bsdutils',
  chromium: 'chromium',
  nginx: 'nginx',
  wrk: 'wrk',
  strace: 'strace',
} as const

export type Tool = keyof typeof PACKAGES

/** Installs what is missing of `tools`; where it may not, throws, saying how. */
export async function ensureTools(tools: readonly Tool[]): Promise<void> {
  const present = await Promise.all(tools.map(isPresent))
  const missing = tools.filter((_, position) => !present[position]).map((tool) => PACKAGES[tool])
  if (missing.length === 0) return
  const command = `apt-get install -y ${missing.join(' ')}`
  if (process.getuid?.() !== 0) throw new Error(`${missing.join(' and ')} missing: sudo ${command}`)
  await run('apt-get', ['update'])
  await run('apt-get', ['install', '-y', ...missing], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}

/** Cargo comes with a toolchain that only its user can choose. */
export async function requireCargo(): Promise<void> {
  if (!(await isPresent('cargo'))) throw new Error('cargo is missing: install Rust, see https://rustup.rs')
}

/** Any ending but "no such program" will do: some programs have no flag that ends well. */
function isPresent(tool: string): Promise<boolean> {
  return run(tool, ['--version']).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  )
}
