/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin exec as a part of a test program. */
#include "config.h"

#include "../../plugins/exec/errors.c"
#include "../../plugins/exec/exec.c"
#include "../../plugins/exec/framing.c"
#include "../../plugins/exec/once.c"
#include "../../plugins/exec/pool.c"
#include "../../plugins/exec/program.c"
#include "../../plugins/exec/talk.c"
#include "../../plugins/exec/words.c"
#include "../../plugins/exec/worker.c"
