import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A temporary file without a name: not even a killed process leaves it behind. It is gone when it is closed. `what` it is
 * for is told by lists of open files.
 */
export async function openUnnamed(what: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'verdaccio-cargo-'))
  try {
    return await open(join(folder, what), 'wx+', 0o600)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Writes all of `bytes` at `position`, however often the system takes only a part. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const rest = bytes.length - written
    written += (await file.write(bytes, written, rest, position + written)).bytesWritten
  }
}
