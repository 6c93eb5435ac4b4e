/** Where the last results and the page that shows them are. */
export const REPORT_DIRECTORY = import.meta.dirname;
