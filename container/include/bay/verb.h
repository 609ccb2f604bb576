/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The admin verbs of a plugin: what an operator can have it do beside its work, by
 * "bayctl do SERVICE VERB [ARGUMENT...]". The arguments of a verb are a table like that of the
 * settings, and fill a struct of the verb's own before its handler runs. A word that the table
 * does not allow never reaches the handler: the container refuses it and names the argument.
 *
 *	struct forget { const char *word; bool all; };
 *
 *	static const struct bay_setting forget_arguments[] = {
 *		BAY_STRING(struct forget, word, "word", NULL, "the word to forget"),
 *		BAY_BOOL(struct forget, all, "all", "no", "whether all that begin with it"),
 *		BAY_END
 *	};
 *
 *	static int
 *	forget(struct bay_request *request)
 *	{
 *		const struct forget *with = bay_arguments(request);
 *		...
 *		return bay_reply_printf(request, "%u words forgotten", count);
 *	}
 *
 *	static const struct bay_verb verbs[] = {
 *		BAY_VERB("forget", BAY_ROLE_OPERATOR, forget_arguments, forget, "forgets a word"),
 *		BAY_VERBS_END
 *	};
 *
 *	BAY_PLUGIN(words, "1.0.0", .handle = words, .verbs = verbs);
 *
 *	$ bayctl do words forget raven all=yes
 *
 * Words are taken in the order of the table; one that reads NAME=VALUE with the name of an
 * argument is for that one. A default of NULL means that the argument must be given, and such
 * arguments come first.
 *
 * The handler runs as a task of the service's first instance, and may suspend, also in a
 * plugin that is declared BAY_LEAF. It sees and answers its request as handle does; the message
 * of the request is empty. It waits for no place in the queue and counts neither as a message
 * nor for the concurrency, so it also runs when the service is choked. Its deadline is
 * the one that bayctl was given, or the timeout of the service.
 */
#ifndef BAY_VERB_H
#define BAY_VERB_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/setting.h>

BAY_BEGIN_DECLS

struct bay_request;

/* Who may do it, as the kernel says who asks. Each may what those below may. */
enum bay_role {
	BAY_ROLE_ADMIN = 0,    /* root, the user of bayd, and whom admins names */
	BAY_ROLE_OPERATOR = 1, /* members of control_group and operators too: who may call the service */
	BAY_ROLE_VIEWER = 2    /* viewers too: who may only look */
};

struct bay_verb {
	const char *name;                    /* small letters, digits, '-' and '_' */
	uint32_t role;                       /* enum bay_role */
	uint32_t flags;                      /* none is known yet: 0 */
	const struct bay_setting *arguments; /* ended by BAY_END, or NULL: it takes none */
	int (*handle)(struct bay_request *request);
	const char *help;                    /* one line */
};

#define BAY_VERB(name_, role_, arguments_, handle_, help_) \
	{ name_, role_, 0, arguments_, handle_, help_ }
#define BAY_VERBS_END \
	{ NULL, 0, 0, NULL, NULL, NULL }

/* The struct that the arguments of the verb have filled; NULL: the request is none of a verb, or
 * the verb takes no arguments. Borrowed until the handler returns. Owning loop only; never
 * suspends. Since 1.0. */
BAY_API const void *bay_arguments(const struct bay_request *request);

BAY_END_DECLS

#endif
