/* A hash table from the host's ids to pointers: open addressing, linear probing,
 * removal by moving back. 0 is no id, so it marks an empty place. */
#include "ymo.h"

static uint32_t place_of(const ymo_ids *t, uint64_t id)
{
	return (uint32_t)(id * 0x9e3779b97f4a7c15u >> 32) & (t->cap - 1);
}

static struct ymo_id *look(const ymo_ids *t, uint64_t id)
{
	uint32_t i = place_of(t, id);
	while (t->at[i].id && t->at[i].id != id)
		i = (i + 1) & (t->cap - 1);
	return &t->at[i];
}

void *ymo_ids_get(const ymo_ids *t, uint64_t id)
{
	return t->cap && id ? look(t, id)->value : NULL;
}

static bool widen(ymo_ids *t)
{
	ymo_ids wide = { .cap = t->cap ? t->cap * 2 : 16 };
	if (wide.cap > UINT32_MAX / 2 / sizeof *wide.at || !(wide.at = calloc(wide.cap, sizeof *wide.at)))
		return false;
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->at[i].id)
			*look(&wide, t->at[i].id) = t->at[i];
	wide.used = t->used;
	free(t->at);
	*t = wide;
	return true;
}

bool ymo_ids_put(ymo_ids *t, uint64_t id, void *value)
{
	if (!id || (t->used >= t->cap / 4 * 3 && !widen(t)))
		return false;
	struct ymo_id *e = look(t, id);
	t->used += !e->id;
	*e = (struct ymo_id){ id, value };
	return true;
}

void ymo_ids_remove(ymo_ids *t, uint64_t id)
{
	if (!t->cap || !id)
		return;
	uint32_t mask = t->cap - 1, hole = (uint32_t)(look(t, id) - t->at);
	if (!t->at[hole].id)
		return;
	t->used--;
	for (uint32_t i = (hole + 1) & mask; t->at[i].id; i = (i + 1) & mask)
		if (((i - place_of(t, t->at[i].id)) & mask) >= ((i - hole) & mask)) {
			t->at[hole] = t->at[i];
			hole = i;
		}
	t->at[hole] = (struct ymo_id){ 0 };
}
