import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Installs what is missing of nginx and wrk; throws, saying how, where it may not. */
export async function ensureTools(): Promise<void> {
  const missing: string[] = []
  for (const [tool, flag] of [
    ['nginx', '-v'],
    ['wrk', '-v'],
  ] as const) {
    // wrk ends with 1 after its version.
    const absent = await run(tool, [flag]).then(
      () => false,
      (error: { code?: unknown }) => error.code === 'ENOENT',
    )
    if (absent) missing.push(tool)
  }
  if (missing.length === 0) return
  const command = `apt-get install -y ${missing.join(' ')}`
  if (process.getuid?.() !== 0) throw new Error(`${missing.join(' and ')} missing: sudo ${command}`)
  await run('apt-get', ['update'])
  await run('apt-get', ['install', '-y', ...missing], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
