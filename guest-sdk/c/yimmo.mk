# How plugins in C are built, for makefiles. Include it and use
#
#     $(YIMMO_CC) plugin.c $(YIMMO) -o plugin.wasm       a plugin with yimmo/guest.h
#     $(YIMMO_CC) program.c $(LIBYIMMO) -o plugin.wasm   a program with libyimmo's interface
#
# with $(YIMMO_FILES) among what these depend on.
#
# Debian: apt-get install clang lld

YIMMO_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CLANG     ?= clang

# Every instruction that these allow is in each host's engine. The stack lies below
# the data, so that running out of it traps.
YIMMO_CFLAGS  := --target=wasm32 -mbulk-memory -msign-ext -mnontrapping-fptoint -Os \
	-ffunction-sections -fdata-sections -nostdlib -nostdlibinc \
	-I$(YIMMO_DIR)/include -isystem $(YIMMO_DIR)/include/libc
YIMMO_LDFLAGS := -Wl,--no-entry,--stack-first,-z,stack-size=65536,--gc-sections

YIMMO_CC := $(CLANG) $(YIMMO_CFLAGS) $(YIMMO_LDFLAGS)
YIMMO    := $(YIMMO_DIR)/src/yimmo.c
# Programs may expect some room on the stack.
LIBYIMMO := $(YIMMO_DIR)/src/libyimmo.c -Wl,-z,stack-size=262144

YIMMO_FILES := $(shell find $(YIMMO_DIR)/include $(YIMMO_DIR)/src -name '*.[ch]')
