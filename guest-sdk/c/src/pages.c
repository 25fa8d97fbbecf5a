/* Pages: where all memory beyond the module's own comes from. */
#include "core.h"

#if defined(__wasm__)

/* While main of an original-style program runs up to its event loop, program.c
 * keeps a log of the pages given out. When main runs again, the log makes sure
 * that it is given the same ones. */
yimmo_page_log *yimmo_page_log_on;

static void *grow_memory(size_t pages)
{
	size_t old = __builtin_wasm_memory_grow(0, pages);
	return old == SIZE_MAX ? NULL : (void *)(old * YIMMO_PAGE);
}

static void *replay(yimmo_page_log *log, uint32_t pages)
{
	if (log->at < log->used && log->run[log->at].pages == pages)
		return yimmo_at(log->run[log->at++].addr);
	log->lost = true; /* main did not do what it did before */
	return NULL;
}

static void *record(yimmo_page_log *log, uint32_t pages)
{
	void *p = grow_memory(pages);
	if (p && log->used < YIMMO_PAGE_RUNS)
		log->run[log->used++] = (yimmo_page_run){ yimmo_addr(p), pages };
	else if (p)
		log->lost = true;
	return p;
}

void *yimmo_pages(size_t bytes)
{
	if (bytes > UINT32_MAX - YIMMO_PAGE)
		return NULL;
	uint32_t pages = (uint32_t)((bytes + YIMMO_PAGE - 1) / YIMMO_PAGE);
	yimmo_page_log *log = yimmo_page_log_on;
	if (!log)
		return grow_memory(pages);
	return log->mode == YIMMO_PAGES_RECORD ? record(log, pages) : replay(log, pages);
}

#endif
