import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cargoHome, type HomeSpec, project } from '../support/cargo.ts'

/** Cargo unpacks what it fetches: into memory where that can be, or the disk's time hides the network's. */
const MEMORY = '/dev/shm'
const PARENT = existsSync(MEMORY) ? MEMORY : tmpdir()

/** What a cargo that has seen nothing did. */
export interface ColdFetch {
  /** Of `cargo fetch`. */
  readonly seconds: number
  /** Of `cargo update` afterwards, if that was asked for. */
  readonly updateSeconds?: number
  readonly lock: string
}

/** `cargo fetch` of a package without a lock file, and perhaps `cargo update` of the same. */
export async function fetchCold(
  manifest: string,
  spec: Partial<HomeSpec>,
  { update = false }: { readonly update?: boolean } = {},
): Promise<ColdFetch> {
  const endings: (() => Promise<void>)[] = []
  const home = await cargoHome(
    { after: (done) => void endings.push(done) },
    { registries: {}, parent: PARENT, ...spec },
  )
  const timed = async (command: string, cwd: string) => {
    const began = performance.now()
    const { code, stderr } = await home.cargo([command], { cwd })
    if (code !== 0) throw new Error(`cargo ${command} ended with ${code}:\n${stderr}`)
    return (performance.now() - began) / 1000
  }
  try {
    const cwd = await project(join(home.folder, 'app'), { manifest })
    const seconds = await timed('fetch', cwd)
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    return { seconds, lock, ...(update && { updateSeconds: await timed('update', cwd) }) }
  } finally {
    for (const end of endings) await end()
  }
}
