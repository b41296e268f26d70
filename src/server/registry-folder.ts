import { stat } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'
import { reasonOf } from './reason.ts'

/** Why there is no registry at a folder, which a store would make and find empty; `undefined` when there may be one. */
export async function findNoFolder(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return undefined
    return `there is no registry at \`${path}\`: it is no folder`
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return `there is no registry at \`${path}\`: no such folder`
    return `folder \`${path}\`: ${reasonOf(error)}`
  }
}
