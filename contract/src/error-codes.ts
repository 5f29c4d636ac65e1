/** Codes in `error_log` that say that data is not what it must be: one such line is one too many. */
export const integrityCodes: readonly string[] = ['original-damaged', 'storage-corruption']
