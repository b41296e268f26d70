import { isSystemError } from '../errors.ts'

/**
 * Loads a package that only those install who use it.
 * @throws {Error} saying how to install it when it is missing
 */
export async function loadOptional<T>(load: () => Promise<T>, use: string, name: string): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isSystemError(cause, 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new Error(`${use} needs a package that is missing: \`npm install ${name}\``, { cause })
  }
}
