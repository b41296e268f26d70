import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const VERSION = '1.8.0'
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`
const CACHE = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
const FOLDER = join(CACHE, 'verdaccio-cargo')

/** The S3 server that tests talk to, where `ensureS3Server` puts it: built once, outside the repository. */
export const VERSITYGW = join(FOLDER, `versitygw-${VERSION}`)

/** Builds the S3 server from its Go module, a minute's work, unless it was built before; throws, saying what is missing. */
export async function ensureS3Server(): Promise<void> {
  if (await isFile(VERSITYGW)) return
  await mkdir(FOLDER, { recursive: true })
  const folder = await mkdtemp(join(FOLDER, 'build-'))
  try {
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
    await run('go', ['install', '-ldflags=-s -w', MODULE], { env })
    // Whole or not at all: others may be at it too.
    await rename(join(folder, 'versitygw'), VERSITYGW)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `the S3 server of the tests is missing: install Go 1.25 or newer, see https://go.dev/dl, and run \`GOBIN=<folder> go install ${MODULE}\`, then move it to ${VERSITYGW} (${reason})`,
      { cause },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
