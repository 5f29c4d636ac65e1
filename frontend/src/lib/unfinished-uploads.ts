/** Key in local storage that stands while this browser has uploads to finish: whoever looks need not open the database of them. */
export const unfinishedFlag = 'dam.uploads.unfinished'
