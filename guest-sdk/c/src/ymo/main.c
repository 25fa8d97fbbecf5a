/* main, as the linker finds it. */
#include "ymo.h"

YIMMO_TRAP(yimmo_the_program_has_no_main_function)

extern int main_with_args(int argc, char **argv) __asm__("__main_argc_argv") __attribute__((weak));
extern int main_without(void) __asm__("__main_void") __attribute__((weak));
extern int main_original(void) __asm__("__original_main") __attribute__((weak));

void ymo_main_require(void)
{
	if (!main_with_args && !main_without && !main_original)
		yimmo_the_program_has_no_main_function();
}

int ymo_main_call(void)
{
	static char *argv[2];
	const char *name = ymo_config(YIMMO_FIELD_PLUGIN);
	argv[0] = (char *)(name ? name : "plugin");
	if (main_with_args)
		return main_with_args(1, argv);
	return main_without ? main_without() : main_original();
}

int ymo_main_is_over(void)
{
	static bool told;
	if (!told)
		ymo_log(YMO_LOG_WARNING, "ev_run in a callback returns at once: the host turns the loop");
	told = true;
	return 0;
}
