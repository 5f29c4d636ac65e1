/** The environment this process was started with, for programs it starts. */
export const shellEnvironment: Readonly<Record<string, string | undefined>> = process.env
