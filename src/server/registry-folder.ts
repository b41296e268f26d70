import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
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

/** Whether a place, which need not be there, is a folder or in it, by whatever links. */
export async function isWithin(folder: string, place: string): Promise<boolean> {
  const way = relative(await realPlace(folder), await realPlace(place))
  return way !== '..' && !way.startsWith('../')
}

async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT') || dirname(path) === path) throw error
    return join(await realPlace(dirname(path)), basename(path))
  }
}
