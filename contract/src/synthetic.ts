/** The account with which DAM's own journeys sign in. It is nobody: set-up, administrators and active users are counted without it. */
export const syntheticUsername = 'dam-synthetic'

/** Marks requests of health probes and journeys; its value is the secret of the environment. */
export const syntheticHeader = 'x-dam-synthetic'
