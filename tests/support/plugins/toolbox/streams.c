/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/address.h> */
#include "toolbox.h"

static void
see_addresses(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_address address, other;
	char text[BAY_ADDRESS_TEXT_SIZE];

	(void)request;
	saw(seen, "%s", bay_status_name(bay_address_parse(argument, &address)));
	saw(seen, "%s", bay_address_text(&address, text, sizeof text));
	saw(seen, "%d %u", bay_address_family(&address) == BAY_ADDRESS_IPV6, bay_address_port(&address));
	other = address;
	saw(seen, "%d", bay_address_equal(&address, &other));
	saw(seen, "%s", bay_status_name(bay_address_set_port(&other, 8080)));
	saw(seen, "%d %s", bay_address_equal(&address, &other), bay_address_text(&other, text, sizeof text));
	saw(seen, "%s", bay_status_name(bay_address_parse("no address", &address)));
}

const struct operation stream_operations[] = {
	{"addresses", see_addresses, NULL},
	{NULL, NULL, NULL}
};
