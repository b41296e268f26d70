import { stat } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'
import { Mistake } from './mistake.ts'
import { reasonOf } from './reason.ts'

/**
 * Makes sure that the folder of a registry is there, since a store would make it and find it empty.
 * @throws {Mistake} saying that there is no registry
 */
export async function mustBeRegistry(path: string): Promise<void> {
  const problem = await findNoRegistry(path)
  if (problem !== undefined) throw new Mistake(problem)
}

/** Why there is no registry at a folder; `undefined` when there may be one. */
export async function findNoRegistry(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return undefined
    return `there is no registry at \`${path}\`: it is no folder`
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return `there is no registry at \`${path}\`: no such folder`
    return `folder \`${path}\`: ${reasonOf(error)}`
  }
}
